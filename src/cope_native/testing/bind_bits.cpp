#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "bind.h"
#include "cope/bits/annex_b.h"
#include "cope/bits/bit_reader.h"
#include "cope/bits/length_prefixed.h"
#include "cope/bits/rbsp.h"

namespace cope::testing {
namespace {

namespace nb = nanobind;
using namespace nb::literals;

std::span<const std::uint8_t> view(const nb::bytes& data) {
  return {static_cast<const std::uint8_t*>(data.data()), data.size()};
}

std::vector<nb::bytes> copies(const std::vector<std::span<const std::uint8_t>>& nals) {
  std::vector<nb::bytes> out;
  for (const auto nal : nals) out.emplace_back(nal.data(), nal.size());
  return out;
}

/// A `bits::BitReader` with its data, followed by ones: a read behind the end shows.
class OwningBitReader {
 public:
  explicit OwningBitReader(const nb::bytes& data)
      : data_(std::make_unique<std::uint8_t[]>(data.size() + kPadding)) {
    std::memcpy(data_.get(), data.data(), data.size());
    std::memset(data_.get() + data.size(), 0xff, kPadding);
    reader = bits::BitReader(data_.get(), data.size());
  }

  bits::BitReader reader;

 private:
  static constexpr std::size_t kPadding = 8;
  std::unique_ptr<std::uint8_t[]> data_;
};

using DecoderConfigurationResult = std::tuple<bool, unsigned, std::vector<nb::bytes>>;

DecoderConfigurationResult parse(Status (*parser)(std::span<const std::uint8_t>,
                                                  bits::DecoderConfiguration&),
                                 const nb::bytes& record) {
  bits::DecoderConfiguration config;
  const Status status = parser(view(record), config);
  return {status.ok(), config.nal_length_size, copies(config.nals)};
}

}  // namespace

void bind_bits(nb::module_& m) {
  using Reader = OwningBitReader;
  nb::class_<Reader>(m, "BitReader")
      .def(nb::init<const nb::bytes&>(), "data"_a)
      .def(
          "u", [](Reader& r, unsigned n) { return r.reader.u(n); }, "n"_a)
      .def("ue", [](Reader& r) { return r.reader.ue(); })
      .def("se", [](Reader& r) { return r.reader.se(); })
      .def(
          "te", [](Reader& r, std::uint32_t max) { return r.reader.te(max); }, "max_value"_a)
      .def(
          "skip", [](Reader& r, std::size_t n) { r.reader.skip(n); }, "n"_a)
      .def("more_rbsp_data", [](const Reader& r) { return r.reader.more_rbsp_data(); })
      .def_prop_ro("bit_pos", [](const Reader& r) { return r.reader.bit_pos(); })
      .def_prop_ro("bits_left", [](const Reader& r) { return r.reader.bits_left(); })
      .def_prop_ro("overrun", [](const Reader& r) { return r.reader.overrun(); });

  m.def(
      "unescape_rbsp",
      [](const nb::bytes& nal) {
        std::vector<std::uint8_t> out(nal.size());
        const std::size_t size = bits::unescape_rbsp(view(nal), out.data());
        return nb::bytes(out.data(), size);
      },
      "nal"_a);
  m.def(
      "split_annex_b",
      [](const nb::bytes& stream) {
        std::vector<std::span<const std::uint8_t>> nals;
        bits::split_annex_b(view(stream), nals);
        return copies(nals);
      },
      "stream"_a);
  m.def(
      "split_length_prefixed",
      [](const nb::bytes& sample, unsigned nal_length_size) {
        std::vector<std::span<const std::uint8_t>> nals;
        const Status status = bits::split_length_prefixed(view(sample), nal_length_size, nals);
        return std::pair(status.ok(), copies(nals));
      },
      "sample"_a, "nal_length_size"_a, "Returns (ok, NAL units).");
  m.def(
      "parse_avcc", [](const nb::bytes& record) { return parse(bits::parse_avcc, record); },
      "record"_a, "Returns (ok, nal_length_size, NAL units).");
  m.def(
      "parse_hvcc", [](const nb::bytes& record) { return parse(bits::parse_hvcc, record); },
      "record"_a, "Returns (ok, nal_length_size, NAL units).");
}

}  // namespace cope::testing
