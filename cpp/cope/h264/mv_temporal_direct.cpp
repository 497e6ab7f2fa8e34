#include "cope/h264/mv_temporal_direct.h"

#include <cstdint>

namespace cope::h264 {

using prim::PictureStructure;

namespace {

struct CurrentMb {
  const prim::PictureInfo& info;
  const prim::SliceRefs& refs;
  bool is_field;
  bool is_bottom;
};

/// refIdxL0 that refers to the field or frame of refPicCol which suits the macroblock; the lowest.
int map_to_list0(const CurrentMb& mb, const ColocatedBlock& col) noexcept {
  const prim::SliceRefs& refs = mb.refs;
  const PictureStructure structure = mb.info.structure;
  if (structure == PictureStructure::kFrame) {
    for (int i = 0; i < refs.num_ref[0]; ++i) {
      if (refs.ref[0][i].frame_id() != col.ref.frame) continue;
      if (!mb.is_field) return i;
      // The field itself, or of a frame the one with the parity of the macroblock.
      const bool is_bottom_ref = col.vertMvScale == VertMvScale::kFrmToFld
                                     ? mb.is_bottom
                                     : col.ref.structure == PictureStructure::kBottom;
      return 2 * i + (is_bottom_ref != mb.is_bottom);
    }
    return 0;
  }
  const PictureStructure wanted =
      col.vertMvScale == VertMvScale::kFrmToFld ? structure : col.ref.structure;
  for (int i = 0; i < refs.num_ref[0]; ++i) {
    if (refs.ref[0][i].frame_id() == col.ref.frame &&
        refs.ref[0][i].structure == static_cast<std::uint8_t>(wanted)) {
      return i;
    }
  }
  return 0;
}

/// PicOrderCnt of what a reference index means to the macroblock.
int ref_poc(const CurrentMb& mb, int list, int refIdx) noexcept {
  if (!mb.is_field) return mb.refs.ref[list][refIdx].poc;
  const prim::RefPicture& frame = mb.refs.ref[list][refIdx >> 1];
  const bool is_bottom = ((refIdx & 1) != 0) != mb.is_bottom;
  return is_bottom ? frame.bottom_poc : frame.top_poc;
}

int current_poc(const CurrentMb& mb) noexcept {
  if (!mb.is_field) return mb.info.poc;
  return mb.is_bottom ? mb.info.bottom_poc : mb.info.top_poc;
}

}  // namespace

TemporalDirect derive_temporal_direct(const prim::PictureInfo& info, const prim::SliceRefs& refs,
                                      bool is_field, bool is_bottom_mb,
                                      const ColocatedBlock& col) noexcept {
  const CurrentMb mb{info, refs, is_field, is_bottom_mb};
  TemporalDirect direct;
  direct.refIdxL0 = col.refIdxCol < 0 ? 0 : map_to_list0(mb, col);
  MotionVector mvCol = col.mvCol;
  if (col.vertMvScale == VertMvScale::kFrmToFld) mvCol.y = static_cast<std::int16_t>(mvCol.y / 2);
  if (col.vertMvScale == VertMvScale::kFldToFrm) mvCol.y = static_cast<std::int16_t>(mvCol.y * 2);
  direct.mvL0 = mvCol;
  const prim::RefPicture& ref0 = refs.ref[0][is_field ? direct.refIdxL0 >> 1 : direct.refIdxL0];
  const int poc0 = ref_poc(mb, 0, direct.refIdxL0);
  const int poc1 = ref_poc(mb, 1, 0);
  if (!ref0.is_long_term && poc1 != poc0) {
    const int DistScaleFactor = dist_scale_factor(current_poc(mb), poc0, poc1);
    direct.mvL0 = {static_cast<std::int16_t>((DistScaleFactor * mvCol.x + 128) >> 8),
                   static_cast<std::int16_t>((DistScaleFactor * mvCol.y + 128) >> 8)};
    direct.mvL1 = {static_cast<std::int16_t>(direct.mvL0.x - mvCol.x),
                   static_cast<std::int16_t>(direct.mvL0.y - mvCol.y)};
  }
  return direct;
}

}  // namespace cope::h264
