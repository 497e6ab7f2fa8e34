#include <cstddef>
#include <type_traits>

#include "bind.h"
#include "cope/cpu/h264_transform_tables.h"
#include "cope/entropy/cabac_tables.h"
#include "cope/h264/cabac_tables.h"
#include "cope/h264/cavlc_tables.h"
#include "cope/h264/level_tables.h"
#include "cope/h264/mb_type_tables.h"
#include "cope/h264/scaling_tables.h"
#include "cope/h264/scan_tables.h"

namespace cope::testing {
namespace {

namespace nb = nanobind;

nb::object to_python(const h264::MbTypeInfo& t) {
  return nb::make_tuple(t.NumMbPart, t.MbPartPredMode0, t.MbPartPredMode1, t.MbPartWidth,
                        t.MbPartHeight);
}

nb::object to_python(const h264::SubMbTypeInfo& t) {
  return nb::make_tuple(t.NumSubMbPart, t.SubMbPredMode, t.SubMbPartWidth, t.SubMbPartHeight);
}

nb::object to_python(const h264::Intra16x16TypeInfo& t) {
  return nb::make_tuple(t.Intra16x16PredMode, t.CodedBlockPatternChroma, t.CodedBlockPatternLuma);
}

nb::object to_python(const h264::LevelLimits& t) {
  return nb::make_tuple(t.level_idc, t.MaxMBPS, t.MaxFS, t.MaxDpbMbs, t.MaxBR, t.MaxCPB, t.MaxVmvR,
                        t.MinCR, t.MaxMvsPer2Mb);
}

template <class T>
  requires std::is_integral_v<T>
nb::object to_python(const T& value) {
  return nb::int_(static_cast<int>(value));
}

template <class T, std::size_t N>
nb::object to_python(const T (&values)[N]) {
  nb::list list;
  for (const T& value : values) list.append(to_python(value));
  return list;
}

}  // namespace

void bind_tables(nb::module_& m) {
  nb::dict tables;
  const auto add = [&](const char* name, const auto& table) { tables[name] = to_python(table); };
  add("kRangeTabLps", entropy::kRangeTabLps);
  add("kTransIdxLps", entropy::kTransIdxLps);
  add("kCabacInit", h264::kCabacInit);
  add("kCodedBlockFlagBase", h264::kCodedBlockFlagBase);
  add("kSignificantCoeffFlagBase", h264::kSignificantCoeffFlagBase);
  add("kLastSignificantCoeffFlagBase", h264::kLastSignificantCoeffFlagBase);
  add("kCoeffAbsLevelMinus1Base", h264::kCoeffAbsLevelMinus1Base);
  add("kSignificantCoeffFlagInc8x8", h264::kSignificantCoeffFlagInc8x8);
  add("kLastSignificantCoeffFlagInc8x8", h264::kLastSignificantCoeffFlagInc8x8);
  add("kCodedBlockPattern", h264::kCodedBlockPattern);
  add("kCodedBlockPatternNoChroma", h264::kCodedBlockPatternNoChroma);
  add("kScan4x4", h264::kScan4x4);
  add("kScan8x8", h264::kScan8x8);
  add("kScanChromaDc2x2", h264::kScanChromaDc2x2);
  add("kScanChromaDc2x4", h264::kScanChromaDc2x4);
  add("kDefaultScaling4x4", h264::kDefaultScaling4x4);
  add("kDefaultScaling8x8", h264::kDefaultScaling8x8);
  add("kIntra16x16TypeInfo", h264::kIntra16x16TypeInfo);
  add("kMbTypeInfoP", h264::kMbTypeInfoP);
  add("kMbTypeInfoB", h264::kMbTypeInfoB);
  add("kSubMbTypeInfoP", h264::kSubMbTypeInfoP);
  add("kSubMbTypeInfoB", h264::kSubMbTypeInfoB);
  add("kLevelLimits", h264::kLevelLimits);
  add("cpu::kScan4x4", cpu::h264::kScan4x4);
  add("cpu::kScan8x8", cpu::h264::kScan8x8);
  add("cpu::kScanChromaDc2x2", cpu::h264::kScanChromaDc2x2);
  add("cpu::kScanChromaDc2x4", cpu::h264::kScanChromaDc2x4);
  add("cpu::kNormAdjust4x4", cpu::h264::kNormAdjust4x4);
  add("cpu::kNormAdjust8x8", cpu::h264::kNormAdjust8x8);
  m.attr("tables") = tables;
}

}  // namespace cope::testing
