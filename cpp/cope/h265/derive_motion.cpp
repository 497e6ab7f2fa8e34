#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "cope/h265/motion_syntax.h"
#include "cope/h265/mv_amvp.h"
#include "cope/h265/mv_merge.h"
#include "cope/h265/mv_neighbours.h"
#include "cope/h265/picture_parser.h"
#include "cope/h265/slice_motion.h"

namespace cope::h265 {

namespace {

using prim::BlockType;

/// The motion of a rectangle of cells, at most 16 wide. Rows are short, so they are written in a
/// few stores of fixed size, the last of which may overlap the one before.
template <int kCells>
void fill_cells(const MotionLattice& lattice, std::ptrdiff_t first, int width, int height,
                bool has_list1, const UnitMotion& motion) noexcept {
  MotionVector mv[2][kCells];
  std::int8_t ref_idx[2][kCells];
  for (int list = 0; list < 2; ++list) {
    std::fill_n(mv[list], kCells, motion.mv[list]);
    std::fill_n(ref_idx[list], kCells, motion.ref_idx[list]);
  }
  const auto store = [&](std::ptrdiff_t cell) {
    std::memcpy(lattice.mv + cell, mv[0], sizeof mv[0]);
    std::memcpy(lattice.ref_idx + cell, ref_idx[0], sizeof ref_idx[0]);
    if (!has_list1) return;
    std::memcpy(lattice.mv + lattice.plane + cell, mv[1], sizeof mv[1]);
    std::memcpy(lattice.ref_idx + lattice.plane + cell, ref_idx[1], sizeof ref_idx[1]);
  };
  for (int y = 0; y < height; ++y, first += lattice.stride) {
    for (int x = 0; x + kCells < width; x += kCells) store(first + x);
    store(first + width - kCells);
  }
}

void fill_rect(const MotionLattice& lattice, std::ptrdiff_t first, int width, int height,
               bool has_list1, const UnitMotion& motion) noexcept {
  const auto fill = width >= 8   ? fill_cells<8>
                    : width >= 4 ? fill_cells<4>
                    : width >= 2 ? fill_cells<2>
                                 : fill_cells<1>;
  fill(lattice, first, width, height, has_list1, motion);
}

/// Derives the vectors of one picture (8.5.3.2), prediction unit by prediction unit.
class MotionDeriver {
 public:
  MotionDeriver(const PictureJob& job, PictureLookup lookup, void* lookup_context,
                std::int32_t rows)
      : coded_(job.coded),
        picture_(*job.picture),
        units_(job.motion_syntax->units.span()),
        lookup_(lookup),
        lookup_context_(lookup_context),
        rows_(rows),
        lattice_{picture_.motion.mv.data(), picture_.motion.ref_idx.data(),
                 picture_.motion.width_4x4,
                 static_cast<std::ptrdiff_t>(picture_.motion.plane_size())},
        has_b_((coded_.info.slice_types & prim::kHasB) != 0),
        log2_block_(std::countr_zero(static_cast<unsigned>(picture_.blocks.block_size))),
        neighbours_(picture_.blocks, lattice_,
                    units_.empty() ? 6 : coded_.segments.front().sps->CtbLog2SizeY) {}

  /// Goes on from `progress` as far as `rows` allows. Returns the number of rows that are final.
  std::int32_t derive(MotionProgress& progress) {
    if (rows_ != prim::kAllRows && !is_in_raster_order()) return 0;
    if (!progress.is_begun) clear();
    progress.is_begun = true;
    num_lost_ = progress.num_lost;
    if (num_lost_ > 0) neighbours_.count_unfounded(slice_.num_unfounded);
    const PredictionUnit* unit = units_.data() + progress.num_units;
    const PredictionUnit* const end = units_.data() + units_.size();
    if (rows_ == prim::kAllRows) {
      for (; unit != end; ++unit) derive_unit(*unit);
      if (num_lost_ > 0) clear_lost();
    } else {
      const std::int32_t last = rows_ & -ctb_size();
      for (; unit != end && unit->y < last; ++unit) derive_unit(*unit);
    }
    progress.num_units = static_cast<std::size_t>(unit - units_.data());
    progress.num_lost = num_lost_;
    if (rows_ == prim::kAllRows) return prim::kAllRows;
    // What is lost is cleared at the very end.
    if (num_lost_ > 0) return 0;
    return unit != end ? unit->y & -ctb_size() : rows_ & -ctb_size();
  }

 private:
  /// Whether all that is above a unit comes before it.
  bool is_in_raster_order() const noexcept {
    const auto num = static_cast<std::size_t>(coded_.info.num_slice_segments);
    for (std::size_t i = 0; i < num; ++i) {
      const CodedSegment& segment = coded_.segments[i];
      if (segment.pps->tiles_enabled_flag) return false;
      if (i > 0 && segment.header.slice_segment_address <=
                       coded_.segments[i - 1].header.slice_segment_address) {
        return false;
      }
    }
    return true;
  }

  std::int32_t ctb_size() const noexcept {
    return std::int32_t{1} << coded_.segments.front().sps->CtbLog2SizeY;
  }

  /// Marks all of the lattice as unused, and clears the vectors where no unit will write them.
  void clear() noexcept {
    prim::MotionField& motion = picture_.motion;
    std::memset(motion.ref_idx.data(), -1, motion.ref_idx.size());
    std::int64_t area = 0;
    for (const PredictionUnit& unit : units_) area += unit.width * unit.height;
    if (area != clear_other_blocks()) {  // damaged: units and blocks do not agree
      std::memset(static_cast<void*>(motion.mv.data()), 0, motion.mv.size() * sizeof(MotionVector));
    } else if (!has_b_) {
      std::memset(static_cast<void*>(motion.mv.data() + lattice_.plane), 0,
                  motion.plane_size() * sizeof(MotionVector));
    }
  }

  /// Clears the vectors of all blocks but inter blocks. Returns the area of these, luma samples.
  std::int64_t clear_other_blocks() noexcept {
    const prim::BlockMap& blocks = picture_.blocks;
    const std::uint8_t* type = blocks.type.data();
    std::int64_t num_inter = 0;
    for (std::int32_t by = 0; by < blocks.height; ++by) {
      for (std::int32_t bx = 0; bx < blocks.width;) {
        // Most pictures are inter nearly everywhere: eight blocks at a time.
        if (bx + 8 <= blocks.width && are_inter(type)) {
          bx += 8;
          type += 8;
          num_inter += 8;
          continue;
        }
        if ((*type & ~1) == static_cast<std::uint8_t>(BlockType::kInter)) {
          ++num_inter;
        } else {
          clear_block(bx, by);
        }
        ++bx;
        ++type;
      }
    }
    return num_inter * blocks.block_size * blocks.block_size;
  }

  /// Whether eight blocks in a row are kInter or kSkip.
  static bool are_inter(const std::uint8_t* type) noexcept {
    static_assert(static_cast<int>(BlockType::kInter) == 4 &&
                  static_cast<int>(BlockType::kSkip) == 5);
    std::uint64_t types;
    std::memcpy(&types, type, sizeof types);
    return (types & 0xfefefefefefefefe) == 0x0404040404040404;
  }

  void clear_block(std::int32_t bx, std::int32_t by) noexcept {
    const int cells = picture_.blocks.block_size / 4;
    fill_rect(lattice_, by * cells * lattice_.stride + bx * cells, cells, cells, has_b_,
              UnitMotion{});
  }

  void derive_unit(const PredictionUnit& unit) {
    const std::uint16_t slice_idx = picture_.blocks.slice_idx[block_at(unit.x, unit.y)];
    if (slice_idx >= coded_.slice_refs.size()) return;  // damaged behind the unit, all of it lost
    if (slice_idx != prepared_slice_ || !neighbours_.is_inside(unit.x, unit.y)) {
      if (slice_idx != prepared_slice_) begin_slice(slice_idx);
      neighbours_.enter(unit.x, unit.y, slice_idx, *segment_->pps);
    }
    UnitMotion motion;
    if (unit.merge_idx != kNoMerge) {
      motion = derive_merge(slice_, neighbours_, unit);
    } else {
      for (int list = 0; list < 2; ++list) {
        const std::int8_t refIdx = unit.ref_idx[list];
        if (refIdx < 0) continue;
        const MotionVector mvp =
            derive_mvp(slice_, neighbours_, unit, list, refIdx, unit.mvp_flags >> list & 1);
        // (8-94) to (8-97): modulo 2^16
        motion.mv[list] = {static_cast<std::int16_t>(mvp.x + unit.mvd[list].x),
                           static_cast<std::int16_t>(mvp.y + unit.mvd[list].y)};
        motion.ref_idx[list] = refIdx;
      }
    }
    fill(unit, motion);
    if (slice_.num_unfounded != 0) mark_lost(unit);
  }

  void begin_slice(std::uint16_t slice_idx) {
    prepared_slice_ = slice_idx;
    segment_ = &segment_of(slice_idx);
    slice_.begin(*segment_, coded_.slice_refs[slice_idx], picture_.info.poc, lookup_,
                 lookup_context_);
    if (slice_.ColPic != nullptr && !fits(*slice_.ColPic)) {
      slice_.ColPic = nullptr;
      slice_.misses_ColPic = true;
    }
  }

  const CodedSegment& segment_of(std::uint16_t slice_idx) const noexcept {
    const auto num = static_cast<std::ptrdiff_t>(coded_.info.num_slice_segments);
    const auto first = coded_.segments.begin();
    const auto found = std::lower_bound(
        first, first + num, slice_idx,
        [](const CodedSegment& segment, std::uint16_t idx) { return segment.slice_idx < idx; });
    return found != first + num ? *found : *first;
  }

  bool fits(const prim::PicturePrimitives& ColPic) const noexcept {
    return ColPic.info.width == picture_.info.width && ColPic.info.height == picture_.info.height;
  }

  std::size_t block_at(std::int32_t x, std::int32_t y) const noexcept {
    return static_cast<std::size_t>((y >> log2_block_) * picture_.blocks.width +
                                    (x >> log2_block_));
  }

  void fill(const PredictionUnit& unit, const UnitMotion& motion) noexcept {
    const std::ptrdiff_t first = (unit.y >> 2) * lattice_.stride + (unit.x >> 2);
    fill_rect(lattice_, first, unit.width / 4, unit.height / 4, has_b_, motion);
  }

  /// Marks the blocks of a unit. Their vectors stay until the end: what is derived from them must
  /// be found, to be marked as well.
  void mark_lost(const PredictionUnit& unit) noexcept {
    slice_.num_unfounded = 0;
    neighbours_.count_unfounded(slice_.num_unfounded);
    const std::int32_t step = picture_.blocks.block_size;
    for (std::int32_t y = unit.y & -step; y < unit.y + unit.height; y += step) {
      for (std::int32_t x = unit.x & -step; x < unit.x + unit.width; x += step) {
        std::uint8_t& flags = picture_.blocks.flags[block_at(x, y)];
        num_lost_ += (flags & prim::kMotionLost) == 0;
        flags |= prim::kMotionLost;
      }
    }
  }

  void clear_lost() noexcept {
    const prim::BlockMap& blocks = picture_.blocks;
    for (std::int32_t by = 0; by < blocks.height; ++by) {
      for (std::int32_t bx = 0; bx < blocks.width; ++bx) {
        if ((blocks.flags[block_at(bx << log2_block_, by << log2_block_)] & prim::kMotionLost) ==
            0) {
          continue;
        }
        clear_block(bx, by);
      }
    }
  }

  const CodedPicture& coded_;
  prim::PicturePrimitives& picture_;
  std::span<const PredictionUnit> units_;
  PictureLookup lookup_;
  void* lookup_context_;
  std::int32_t rows_;  // of the collocated pictures that are final
  MotionLattice lattice_;
  bool has_b_;
  int log2_block_;
  MotionNeighbours neighbours_;
  SliceMotion slice_;
  const CodedSegment* segment_ = nullptr;
  std::uint16_t prepared_slice_ = prim::kNoSlice;
  std::int32_t num_lost_ = 0;
};

}  // namespace

std::int32_t derive_motion(PictureJob& job, PictureLookup lookup, void* lookup_context,
                           std::int32_t rows) {
  const std::int32_t rows_final =
      MotionDeriver(job, lookup, lookup_context, rows).derive(job.motion_progress);
  const std::int32_t lost = job.motion_progress.num_lost;
  if (rows_final != prim::kAllRows || lost == 0) return rows_final;
  job.picture->info.num_motion_lost = lost;
  job.report.num_motion_lost = lost;
  if (job.report.first_error.ok()) {
    job.report.first_error = Status::invalid("collocated_ref_idx", "H.265 8.5.3.2.8");
  }
  return rows_final;
}

}  // namespace cope::h265
