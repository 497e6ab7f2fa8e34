#include "cope/h264/slice_groups.h"

#include <algorithm>
#include <cstddef>

namespace cope::h264 {
namespace {

/// Geometry that every map type works on.
struct MapUnits {
  std::int32_t PicWidthInMbs;
  std::int32_t PicHeightInMapUnits;
  std::int32_t PicSizeInMapUnits;
  std::int32_t MapUnitsInSliceGroup0;  // types 3..5
  std::int32_t sizeOfUpperLeftGroup;   // types 4, 5
};

// 8.2.2.1
void fill_interleaved(const Pps& pps, const MapUnits& units, std::uint8_t* map) noexcept {
  std::int32_t i = 0;
  while (i < units.PicSizeInMapUnits) {
    for (int iGroup = 0; iGroup <= pps.num_slice_groups_minus1 && i < units.PicSizeInMapUnits;
         ++iGroup) {
      const std::int32_t run =
          std::min(static_cast<std::int32_t>(pps.run_length_minus1[iGroup]) + 1,
                   units.PicSizeInMapUnits - i);
      std::fill_n(map + i, run, static_cast<std::uint8_t>(iGroup));
      i += run;
    }
  }
}

// 8.2.2.2
void fill_dispersed(const Pps& pps, const MapUnits& units, std::uint8_t* map) noexcept {
  const std::int32_t num_slice_groups = pps.num_slice_groups_minus1 + 1;
  for (std::int32_t i = 0; i < units.PicSizeInMapUnits; ++i) {
    const std::int32_t x = i % units.PicWidthInMbs;
    const std::int32_t y = i / units.PicWidthInMbs;
    map[i] = static_cast<std::uint8_t>((x + y * num_slice_groups / 2) % num_slice_groups);
  }
}

// 8.2.2.3
void fill_foreground(const Pps& pps, const MapUnits& units, std::uint8_t* map) noexcept {
  std::fill_n(map, units.PicSizeInMapUnits, pps.num_slice_groups_minus1);
  for (int iGroup = pps.num_slice_groups_minus1 - 1; iGroup >= 0; --iGroup) {
    const auto top_left = static_cast<std::int32_t>(pps.top_left[iGroup]);
    const auto bottom_right = static_cast<std::int32_t>(pps.bottom_right[iGroup]);
    const std::int32_t xTopLeft = top_left % units.PicWidthInMbs;
    const std::int32_t xBottomRight = bottom_right % units.PicWidthInMbs;
    for (std::int32_t y = top_left / units.PicWidthInMbs; y <= bottom_right / units.PicWidthInMbs;
         ++y) {
      std::fill(map + y * units.PicWidthInMbs + xTopLeft,
                map + y * units.PicWidthInMbs + xBottomRight + 1,
                static_cast<std::uint8_t>(iGroup));
    }
  }
}

// 8.2.2.4: a spiral from the centre. Every turn around the filled box widens it by a row or a
// column until it holds the picture, so the walk ends.
void fill_box_out(const Pps& pps, const MapUnits& units, std::uint8_t* map) noexcept {
  std::fill_n(map, units.PicSizeInMapUnits, std::uint8_t{1});
  const std::int32_t dir = pps.slice_group_change_direction_flag ? 1 : 0;
  std::int32_t x = (units.PicWidthInMbs - dir) / 2;
  std::int32_t y = (units.PicHeightInMapUnits - dir) / 2;
  std::int32_t leftBound = x;
  std::int32_t rightBound = x;
  std::int32_t topBound = y;
  std::int32_t bottomBound = y;
  std::int32_t xDir = dir - 1;
  std::int32_t yDir = dir;
  for (std::int32_t k = 0; k < units.MapUnitsInSliceGroup0;) {
    std::uint8_t& unit = map[y * units.PicWidthInMbs + x];
    k += unit;  // mapUnitVacant
    unit = 0;
    if (xDir == -1 && x == leftBound) {
      x = leftBound = std::max(leftBound - 1, 0);
      xDir = 0;
      yDir = 2 * dir - 1;
    } else if (xDir == 1 && x == rightBound) {
      x = rightBound = std::min(rightBound + 1, units.PicWidthInMbs - 1);
      xDir = 0;
      yDir = 1 - 2 * dir;
    } else if (yDir == -1 && y == topBound) {
      y = topBound = std::max(topBound - 1, 0);
      xDir = 1 - 2 * dir;
      yDir = 0;
    } else if (yDir == 1 && y == bottomBound) {
      y = bottomBound = std::min(bottomBound + 1, units.PicHeightInMapUnits - 1);
      xDir = 2 * dir - 1;
      yDir = 0;
    } else {
      x += xDir;
      y += yDir;
    }
  }
}

// 8.2.2.5
void fill_raster_scan(const Pps& pps, const MapUnits& units, std::uint8_t* map) noexcept {
  const std::uint8_t dir = pps.slice_group_change_direction_flag ? 1 : 0;
  std::fill_n(map, units.sizeOfUpperLeftGroup, dir);
  std::fill(map + units.sizeOfUpperLeftGroup, map + units.PicSizeInMapUnits,
            static_cast<std::uint8_t>(1 - dir));
}

// 8.2.2.6
void fill_wipe(const Pps& pps, const MapUnits& units, std::uint8_t* map) noexcept {
  const std::uint8_t dir = pps.slice_group_change_direction_flag ? 1 : 0;
  std::int32_t k = 0;
  for (std::int32_t j = 0; j < units.PicWidthInMbs; ++j) {
    for (std::int32_t i = 0; i < units.PicHeightInMapUnits; ++i) {
      map[i * units.PicWidthInMbs + j] =
          k++ < units.sizeOfUpperLeftGroup ? dir : static_cast<std::uint8_t>(1 - dir);
    }
  }
}

}  // namespace

void derive_mb_to_slice_group_map(const Sps& sps, const Pps& pps, const SliceHeader& header,
                                  std::vector<std::uint8_t>& map) {
  map.clear();
  if (pps.num_slice_groups_minus1 == 0) return;
  MapUnits units;
  units.PicWidthInMbs = sps.PicWidthInMbs();
  units.PicHeightInMapUnits = sps.PicHeightInMapUnits();
  units.PicSizeInMapUnits = sps.PicSizeInMapUnits();
  units.MapUnitsInSliceGroup0 = static_cast<std::int32_t>(
      std::min(std::uint64_t{header.slice_group_change_cycle} * pps.SliceGroupChangeRate(),
               static_cast<std::uint64_t>(units.PicSizeInMapUnits)));
  units.sizeOfUpperLeftGroup = pps.slice_group_change_direction_flag
                                   ? units.PicSizeInMapUnits - units.MapUnitsInSliceGroup0
                                   : units.MapUnitsInSliceGroup0;

  // mapUnitToSliceGroupMap is made at the front and spread in place, last address first: a map unit
  // never lies behind a macroblock that it covers.
  map.resize(static_cast<std::size_t>(std::max(header.PicSizeInMbs, units.PicSizeInMapUnits)));
  switch (pps.slice_group_map_type) {
    case 0:
      fill_interleaved(pps, units, map.data());
      break;
    case 1:
      fill_dispersed(pps, units, map.data());
      break;
    case 2:
      fill_foreground(pps, units, map.data());
      break;
    case 3:
      fill_box_out(pps, units, map.data());
      break;
    case 4:
      fill_raster_scan(pps, units, map.data());
      break;
    case 5:
      fill_wipe(pps, units, map.data());
      break;
    default:
      std::copy(pps.slice_group_id.begin(), pps.slice_group_id.end(), map.begin());
      break;
  }

  // 8.2.2.8
  if (sps.frame_mbs_only_flag || header.field_pic_flag) return;
  for (std::int32_t i = header.PicSizeInMbs - 1; i >= 0; --i) {
    const std::int32_t unit =
        header.MbaffFrameFlag
            ? i / 2
            : i / (2 * units.PicWidthInMbs) * units.PicWidthInMbs + i % units.PicWidthInMbs;
    map[static_cast<std::size_t>(i)] = map[static_cast<std::size_t>(unit)];
  }
}

}  // namespace cope::h264
