#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "cope/bits/annex_b.h"
#include "cope/h265/header_decoder.h"
#include "cope/h265/motion_syntax.h"

namespace cope::h265 {

/// Folder of the test streams, which need not be there.
inline std::filesystem::path streams_folder() {
  const char* const folder = std::getenv("COPE_TEST_DATA");
  const std::filesystem::path root =
      folder != nullptr ? std::filesystem::path(folder)
                        : std::filesystem::path(__FILE__).parent_path() / "../../../../shared";
  return root / "streams";
}

/// The headers of a byte stream's pictures; none where there is no such file.
inline std::vector<CodedPicture> load_pictures(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> stream{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::span<const std::uint8_t>> nals;
  bits::split_annex_b(stream, nals);
  HeaderDecoder headers{Limits{}};
  std::vector<CodedPicture> pictures;
  const auto drain = [&] {
    for (CodedPicture picture; headers.pop_picture(picture); picture = {}) {
      pictures.push_back(std::move(picture));
    }
  };
  for (const auto& nal : nals) {
    (void)headers.push_nal(nal, {});
    drain();
  }
  headers.end_access_unit();
  drain();
  return pictures;
}

/// Member by member: a unit has a byte of padding.
inline bool equal_units(const MotionSyntax& a, const MotionSyntax& b) {
  const auto tied = [](const PredictionUnit& u) {
    return std::tuple(u.x, u.y, u.width, u.height, u.log2_cb_size, u.part_mode, u.part_idx,
                      u.merge_idx, u.mvp_flags, u.ref_idx[0], u.ref_idx[1], u.mvd[0].x, u.mvd[0].y,
                      u.mvd[1].x, u.mvd[1].y);
  };
  return std::ranges::equal(a.units.span(), b.units.span(), {}, tied, tied);
}

}  // namespace cope::h265
