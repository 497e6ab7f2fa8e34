#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/h264/mb_motion.h"
#include "cope/h264/mb_type_tables.h"
#include "cope/h264/motion_loss.h"
#include "cope/h264/motion_syntax.h"
#include "cope/h264/mv_direct.h"
#include "cope/h264/mv_mbaff.h"
#include "cope/h264/mv_pred.h"
#include "cope/h264/mv_temporal_direct.h"
#include "cope/h264/picture_parser.h"

namespace cope::h264 {

namespace {

using prim::BlockType;

/// Decoding order of the 4x4 block at [y][x]: luma4x4BlkIdx (6.4.3).
constexpr std::uint8_t kBlkIdx[4][4] = {
    {0, 1, 4, 5}, {2, 3, 6, 7}, {8, 9, 12, 13}, {10, 11, 14, 15}};

/// Derives the vectors of one colour plane of one picture (8.4.1), macroblock by macroblock.
template <bool kMbaff>
class MotionDeriver {
 public:
  MotionDeriver(const PictureJob& job, prim::PicturePrimitives& picture,
                const MbMotionSyntax* syntax, PictureLookup lookup, void* lookup_context)
      : coded_(job.coded),
        picture_(picture),
        syntax_(syntax),
        mvd_(job.motion_syntax->mvd.data()),
        lookup_(lookup),
        lookup_context_(lookup_context),
        w_(picture.blocks.width),
        motion_(picture.motion) {}

  void derive() {
    has_list1_ = (picture_.info.slice_types & prim::kHasB) != 0;
    if (!has_list1_) clear_list1();
    const std::int32_t rows = picture_.blocks.height;
    if constexpr (kMbaff) {
      for (std::int32_t pair = 0; pair < rows; pair += 2) {
        for (std::int32_t mb_x = 0; mb_x < w_; ++mb_x) {
          derive_macroblock((pair * w_) + 2 * mb_x, mb_x, pair);
          derive_macroblock((pair * w_) + 2 * mb_x + 1, mb_x, pair + 1);
        }
      }
    } else {
      for (std::int32_t row = 0; row < rows; ++row) {
        for (std::int32_t mb_x = 0; mb_x < w_; ++mb_x) {
          if (mb_x % 4 == 0) prefetch(mb_x + 8, row);
          derive_macroblock(row * w_ + mb_x, mb_x, row);
        }
      }
    }
  }

 private:
  /// Fetches the cache lines of four macroblocks further on: a row of macroblocks is too many
  /// streams for the hardware to follow, with those of the collocated picture.
  void prefetch(std::int32_t mb_x, std::int32_t mb_row) const noexcept {
    const std::ptrdiff_t stride = motion_.stride();
    const std::ptrdiff_t cell = static_cast<std::ptrdiff_t>(mb_row) * 4 * stride + mb_x * 4;
    if (cell + 3 * stride >= motion_.plane()) return;
    const MotionVector* mv = picture_.motion.mv.data() + cell;
    for (int list = 0; list < (has_list1_ ? 2 : 1); ++list, mv += motion_.plane()) {
      for (int y = 0; y < 4; ++y) __builtin_prefetch(mv + y * stride, 1);
    }
    if (col_motion_ != nullptr) {
      __builtin_prefetch(col_motion_->mv.data() + cell);
      __builtin_prefetch(col_motion_->mv.data() + cell + 3 * stride);
      __builtin_prefetch(col_motion_->ref_idx.data() + cell);
      __builtin_prefetch(col_motion_->ref_idx.data() + cell + 3 * stride);
    }
  }

  void derive_macroblock(std::int32_t mb_addr, std::int32_t mb_x, std::int32_t mb_row) {
    CurrMbAddr_ = mb_addr;
    here_.mb_x = mb_x;
    here_.mb_row = mb_row;
    block_ = static_cast<std::size_t>(mb_row * w_ + mb_x);
    motion_.move_to(mb_x, mb_row);

    const auto type = static_cast<BlockType>(picture_.blocks.type[block_]);
    if (type != BlockType::kInter && type != BlockType::kSkip) {
      motion_.fill(0, -1, {0, 0});
      if (has_list1_) motion_.fill(1, -1, {0, 0});
      return;
    }
    here_.is_field = (picture_.blocks.flags[block_] & prim::kFieldBlock) != 0;
    slice_idx_ = picture_.blocks.slice_idx[block_];
    if (slice_idx_ != prepared_slice_) prepare_slice();
    find_neighbours();
    if (!kMbaff && has_a_ && has_b_ && has_c_ && has_d_) {
      derive_inter<true>(type);
    } else {
      derive_inter<false>(type);
    }
  }

  /// `kInner`: the macroblocks A, B, C and D are all available, and not MBAFF.
  template <bool kInner>
  void derive_inter(BlockType type) {
    if ((picture_.blocks.flags[block_] & prim::kDirect) != 0) {
      derive_direct<kInner>(0xf);
    } else if (type == BlockType::kSkip) {
      motion_.fill(0, 0, derive_p_skip(neighbours<kInner>(0, 0, 0, 4)));
      if (has_list1_) motion_.fill(1, -1, {0, 0});
    } else {
      derive_coded<kInner>(syntax_[CurrMbAddr_]);
    }
  }

  void clear_list1() noexcept {
    const std::size_t size = picture_.motion.plane_size();
    std::memset(static_cast<void*>(picture_.motion.mv.data() + size), 0,
                size * sizeof(MotionVector));
    std::memset(picture_.motion.ref_idx.data() + size, -1, size);
  }

  void prepare_slice() {
    prepared_slice_ = slice_idx_;
    slice_ = &coded_.slices[slice_idx_];
    if (slice_->header.is_b()) {
      colocated_.begin_slice(picture_.info, slice_->refs, slice_->sps->direct_8x8_inference_flag,
                             lookup_, lookup_context_);
      const prim::PicturePrimitives* const aligned = colocated_.aligned_frame();
      col_motion_ = kMbaff || aligned == nullptr ? nullptr : &aligned->motion;
    }
  }

  // ---- neighbours (6.4.11.7, 6.4.12) ----

  /// Which of A, B, C, D are available; MBAFF frames find neighbours block by block instead.
  void find_neighbours() noexcept {
    if constexpr (kMbaff) return;
    const std::uint16_t* const slice = picture_.blocks.slice_idx.data() + block_;
    const bool left = here_.mb_x > 0;
    const bool above = here_.mb_row > 0;
    has_a_ = left && slice[-1] == slice_idx_;
    has_b_ = above && slice[-w_] == slice_idx_;
    has_c_ = above && here_.mb_x + 1 < w_ && slice[1 - w_] == slice_idx_;
    has_d_ = above && left && slice[-1 - w_] == slice_idx_;
  }

  /// The 4x4 block at x -1..4, y -1..3, outside of the macroblock; `y_in_block` is the luma row
  /// meant in it.
  NeighbourMotion outside(int list, int x, int y, int y_in_block) const noexcept {
    if constexpr (kMbaff) {
      return MbaffNeighbours(picture_, slice_idx_, here_.mb_x, here_.mb_row, here_.is_field)
          .at(list, x < 0 ? -1 : 4 * x, y < 0 ? -1 : 4 * y + y_in_block);
    } else {
      const bool is_available = y >= 0 ? has_a_ : (x < 0 ? has_d_ : (x > 3 ? has_c_ : has_b_));
      return is_available ? motion_.at(list, x, y) : NeighbourMotion{};
    }
  }

  /// Neighbouring partitions of the one at (x, y), `width` wide, in 4x4 blocks (6.4.11.7).
  template <bool kInner>
  COPE_FORCE_INLINE NeighbourPartitions neighbours(int list, int x, int y,
                                                   int width) const noexcept {
    NeighbourPartitions n;
    if constexpr (kInner) {
      n.a = motion_.at(list, x - 1, y);
      n.b = motion_.at(list, x, y - 1);
      const int right = x + width;
      const bool has_c = y == 0 || (right < 4 && kBlkIdx[y - 1][right] < kBlkIdx[y][x]);
      n.c = motion_.at(list, has_c ? right : x - 1, y - 1);
      return n;
    }
    n.a = x > 0 ? motion_.at(list, x - 1, y) : outside(list, -1, y, 0);
    n.b = y > 0 ? motion_.at(list, x, y - 1) : outside(list, x, -1, 3);
    const int cx = x + width;
    if (y == 0) {
      n.c = outside(list, cx, -1, 3);
    } else if (cx < 4 && kBlkIdx[y - 1][cx] < kBlkIdx[y][x]) {
      n.c = motion_.at(list, cx, y - 1);
    }
    if (!n.c.is_available) {
      n.c = x > 0 && y > 0 ? motion_.at(list, x - 1, y - 1) : outside(list, x - 1, y - 1, 3);
    }
    return n;
  }

  // ---- coded vectors ----

  template <bool kInner>
  void derive_coded(const MbMotionSyntax& mb) {
    const MbTypeInfo info = mb.is_b != 0 ? kMbTypeInfoB[mb.mb_type] : kMbTypeInfoP[mb.mb_type];
    const MotionVector* mvd = mvd_ + mb.first_mvd;
    const int num_lists = has_list1_ ? 2 : 1;
    if (info.NumMbPart == 1) {
      for (int list = 0; list < num_lists; ++list) {
        const std::int8_t ref_idx = mb.ref_idx[list][0];
        MotionVector mv{0, 0};
        if (ref_idx >= 0) {
          mv = add(median_prediction(neighbours<kInner>(list, 0, 0, 4), ref_idx), *mvd++);
        }
        motion_.fill(list, ref_idx, mv);
      }
      return;
    }
    for (int list = 0; list < num_lists; ++list) {
      for (int quadrant = 0; quadrant < 4; ++quadrant)
        motion_.fill_ref(list, quadrant, mb.ref_idx[list][quadrant]);
    }
    if (info.NumMbPart == 4) {
      derive_sub_macroblocks<kInner>(mb, mvd);
      return;
    }
    const int width = info.MbPartWidth / 4;
    const int height = info.MbPartHeight / 4;
    const MbPartShape shape = width == 4 ? MbPartShape::k16x8 : MbPartShape::k8x16;
    for (int list = 0; list < num_lists; ++list) {
      for (int part = 0; part < 2; ++part) {
        const int x = width == 2 ? 2 * part : 0;
        const int y = height == 2 ? 2 * part : 0;
        const int ref_idx = mb.ref_idx[list][y + x / 2];
        MotionVector mv{0, 0};
        if (ref_idx >= 0) {
          mv = add(derive_mvp(neighbours<kInner>(list, x, y, width), ref_idx, shape,
                              static_cast<unsigned>(part)),
                   *mvd++);
        }
        motion_.fill_vectors(list, x, y, width, height, mv);
      }
    }
  }

  template <bool kInner>
  void derive_sub_macroblocks(const MbMotionSyntax& mb, const MotionVector* mvd) {
    SubMbTypeInfo info[4];
    unsigned direct = 0;
    for (unsigned q = 0; q < 4; ++q) {
      info[q] =
          mb.is_b != 0 ? kSubMbTypeInfoB[mb.sub_mb_type[q]] : kSubMbTypeInfoP[mb.sub_mb_type[q]];
      if (info[q].SubMbPredMode == kDirect) direct |= 1u << q;
    }
    // Neighbours outside the macroblock alone decide about direct blocks, so these come first.
    if (direct != 0) derive_direct<kInner>(direct);
    for (int list = 0; list < (has_list1_ ? 2 : 1); ++list) {
      for (int q = 0; q < 4; ++q) {
        if ((direct >> q & 1) != 0) continue;
        const int left = 2 * (q & 1);
        const int top = q & 2;
        if ((info[q].SubMbPredMode >> list & 1) == 0) {
          motion_.fill_quadrant(list, q, {0, 0});
          continue;
        }
        const int ref_idx = mb.ref_idx[list][q];
        const int width = info[q].SubMbPartWidth / 4;
        const int height = info[q].SubMbPartHeight / 4;
        for (int y = top; y < top + 2; y += height) {
          for (int x = left; x < left + 2; x += width) {
            const MotionVector mvp =
                derive_mvp(neighbours<kInner>(list, x, y, width), ref_idx, MbPartShape::kOther, 0);
            motion_.fill_vectors(list, x, y, width, height, add(mvp, *mvd++));
          }
        }
      }
    }
  }

  // ---- direct prediction (8.4.1.2) ----

  /// Fills the quadrants whose bit is set in `mask`.
  template <bool kInner>
  void derive_direct(unsigned mask) {
    if (slice_->header.direct_spatial_mv_pred_flag) {
      derive_spatial_direct<kInner>(mask);
    } else {
      derive_temporal_direct(mask);
    }
  }

  ColocatedBlock colocated(int x, int y) const noexcept {
    if (!colocated_.is_available()) return {};
    return colocated_.find(here_, static_cast<unsigned>(x), static_cast<unsigned>(y));
  }

  template <bool kInner>
  void derive_spatial_direct(unsigned mask) {
    int refIdx[2];
    MotionVector mvp[2] = {{0, 0}, {0, 0}};
    for (int list = 0; list < 2; ++list) {
      const NeighbourPartitions n = neighbours<kInner>(list, 0, 0, 4);
      refIdx[list] = min_positive(n.a.refIdx, min_positive(n.b.refIdx, n.c.refIdx));
      if (refIdx[list] >= 0) mvp[list] = median_prediction(n, refIdx[list]);
    }
    const bool directZeroPrediction = refIdx[0] < 0 && refIdx[1] < 0;
    if (directZeroPrediction) refIdx[0] = refIdx[1] = 0;
    // colZeroFlag makes vectors to index 0 zero: worth asking only where one is not.
    const auto may_change = [&](int list) {
      return refIdx[list] == 0 && mvp[list] != MotionVector{0, 0};
    };
    const bool ask = !directZeroPrediction && (may_change(0) || may_change(1)) &&
                     !slice_->refs.ref[1][0].is_long_term && colocated_.is_available();
    if (mask == 0xf) {
      for (int list = 0; list < 2; ++list) {
        motion_.fill(list, static_cast<std::int8_t>(refIdx[list]), mvp[list]);
      }
      if (!ask) return;
    }
    for (int q = 0; q < 4; ++q) {
      if ((mask >> q & 1) == 0) continue;
      if (mask != 0xf) {
        for (int list = 0; list < 2; ++list) {
          motion_.fill_ref(list, q, static_cast<std::int8_t>(refIdx[list]));
          motion_.fill_quadrant(list, q, mvp[list]);
        }
      }
      if (ask) clear_still_blocks(q, refIdx);
    }
  }

  void clear_still_blocks(int q, const int (&refIdx)[2]) noexcept {
    const int left = 2 * (q & 1);
    const int top = q & 2;
    if (slice_->sps->direct_8x8_inference_flag) {
      const bool is_still =
          col_motion_ != nullptr
              ? is_aligned_still(q)
              : colocated_.is_still(here_, static_cast<unsigned>(left), static_cast<unsigned>(top));
      if (!is_still) return;
      for (int list = 0; list < 2; ++list) {
        if (refIdx[list] == 0) motion_.fill_quadrant(list, q, {0, 0});
      }
      return;
    }
    for (int y = top; y < top + 2; ++y) {
      for (int x = left; x < left + 2; ++x) {
        if (!colocated_.is_still(here_, static_cast<unsigned>(x), static_cast<unsigned>(y)))
          continue;
        for (int list = 0; list < 2; ++list) {
          if (refIdx[list] == 0) motion_.fill_vectors(list, x, y, 1, 1, {0, 0});
        }
      }
    }
  }

  /// ColocatedFinder::is_still for the corner of a quadrant where col_motion_ is laid out as this
  /// picture's.
  bool is_aligned_still(int q) const noexcept {
    const std::ptrdiff_t corner = (q & 2) / 2 * 3 * motion_.stride() + (q & 1) * 3;
    auto cell = static_cast<std::size_t>(motion_.cell() + corner);
    if (col_motion_->ref_idx[cell] < 0) cell += static_cast<std::size_t>(motion_.plane());
    const MotionVector mv = col_motion_->mv[cell];
    return (col_motion_->ref_idx[cell] == 0) & (static_cast<unsigned>(mv.x + 1) <= 2) &
           (static_cast<unsigned>(mv.y + 1) <= 2);
  }

  void derive_temporal_direct(unsigned mask) {
    for (int q = 0; q < 4; ++q) {
      if ((mask >> q & 1) == 0) continue;
      const int left = 2 * (q & 1);
      const int top = q & 2;
      for (int y = top; y < top + 2; ++y) {
        for (int x = left; x < left + 2; ++x) {
          const TemporalDirect direct =
              h264::derive_temporal_direct(picture_.info, slice_->refs, here_.is_field,
                                           (here_.mb_row & 1) != 0, colocated(x, y));
          if (x == left && y == top) {  // one reference for all of a quadrant, as partitions have
            motion_.fill_ref(0, q, static_cast<std::int8_t>(direct.refIdxL0));
            motion_.fill_ref(1, q, 0);
          }
          motion_.fill_vectors(0, x, y, 1, 1, direct.mvL0);
          motion_.fill_vectors(1, x, y, 1, 1, direct.mvL1);
        }
      }
    }
  }

  const CodedPicture& coded_;
  prim::PicturePrimitives& picture_;
  const MbMotionSyntax* syntax_;
  const MotionVector* mvd_;
  PictureLookup lookup_;
  void* lookup_context_;
  std::int32_t w_;  // PicWidthInMbs
  MbMotion motion_;

  std::int32_t CurrMbAddr_ = 0;
  DirectMb here_;
  bool has_a_ = false;  // availability of neighbouring macroblocks, not MBAFF
  bool has_b_ = false;
  bool has_c_ = false;
  bool has_d_ = false;
  bool has_list1_ = false;  // the picture has B slices
  std::size_t block_ = 0;
  const CodedSlice* slice_ = nullptr;
  std::uint16_t slice_idx_ = prim::kNoSlice;
  std::uint16_t prepared_slice_ = prim::kNoSlice;
  ColocatedFinder colocated_;
  const prim::MotionField* col_motion_ = nullptr;  // see aligned_frame()
};

}  // namespace

void derive_motion(PictureJob& job, PictureLookup lookup, void* lookup_context) {
  prim::PicturePrimitives& picture = *job.picture;
  const auto derive = [&job](prim::PicturePrimitives& plane, const MbMotionSyntax* syntax,
                             PictureLookup find, void* context) {
    if (job.coded.info.mbaff) {
      MotionDeriver<true>(job, plane, syntax, find, context).derive();
    } else {
      MotionDeriver<false>(job, plane, syntax, find, context).derive();
    }
    plane.info.num_motion_lost = mark_lost_motion(job.coded, plane, syntax, find, context);
    job.report.num_motion_lost += plane.info.num_motion_lost;
  };
  const MbMotionSyntax* const syntax = job.motion_syntax->mbs.data();
  derive(picture, syntax, lookup, lookup_context);
  for (std::size_t p = 0; p < 2; ++p) {
    prim::PicturePrimitives* const plane = picture.colour_plane[p].get();
    if (plane == nullptr) continue;
    // Direct modes of a colour plane look at the same plane of the collocated picture (8.4.1.2.1).
    struct PlaneLookup {
      PictureLookup lookup;
      void* context;
      std::size_t plane;
    } plane_lookup{lookup, lookup_context, p};
    const auto find = [](void* context,
                         std::int64_t decode_index) -> const prim::PicturePrimitives* {
      const auto* const self = static_cast<const PlaneLookup*>(context);
      const prim::PicturePrimitives* const found = self->lookup(self->context, decode_index);
      return found != nullptr ? found->colour_plane[self->plane].get() : nullptr;
    };
    derive(*plane, syntax + (p + 1) * picture.blocks.size(), find, &plane_lookup);
  }
  if (job.report.num_motion_lost > 0 && job.report.first_error.ok()) {
    job.report.first_error = Status::invalid("RefPicList1[0]", "H.264 8.4.1.2.1");
  }
}

}  // namespace cope::h264
