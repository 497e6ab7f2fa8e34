#include "cope/h265/mv_merge.h"

#include "cope/h265/mv_temporal.h"

namespace cope::h265 {

namespace {

/// PartMode, Table 7-10.
enum PartMode : std::uint8_t {
  k2Nx2N = 0,
  k2NxN = 1,
  kNx2N = 2,
  kNxN = 3,
  k2NxnU = 4,
  k2NxnD = 5,
  knLx2N = 6,
  knRx2N = 7,
};

/// Bit m: in part mode m, partition 1 lies right of, or below, partition 0.
constexpr unsigned kSideBySide = 1U << kNx2N | 1U << knLx2N | 1U << knRx2N;
constexpr unsigned kOneAboveOther = 1U << k2NxN | 1U << k2NxnU | 1U << k2NxnD;

/// mergeCandList, built as far as merge_idx asks.
class MergeList {
 public:
  MergeList(SliceMotion& slice, const MotionNeighbours& neighbours, const PredictionUnit& unit)
      : slice_(slice), neighbours_(neighbours) {
    block_ = {unit.x, unit.y, unit.width, unit.height};
    part_bit_ = 1U << unit.part_mode;
    is_second_ = unit.part_idx == 1;
    // singleMCLFlag: the parts of a small coding block share one list.
    if (slice.Log2ParMrgLevel > 2 && unit.log2_cb_size == 3) {
      block_ = {unit.x & ~7, unit.y & ~7, 8, 8};
      is_second_ = false;
    }
  }

  UnitMotion derive(int merge_idx) noexcept {
    if (add_spatial(merge_idx)) return list_[merge_idx];
    if (slice_.slice_temporal_mvp_enabled_flag) add_temporal();
    if (merge_idx < count_) return list_[merge_idx];
    if (slice_.is_b && count_ > 1) add_combined(merge_idx);
    if (merge_idx < count_) return list_[merge_idx];
    return zero_candidate(merge_idx - count_);
  }

 private:
  /// In another merge estimation region (8.5.3.2.3: parallel merging) and available.
  bool find(std::int32_t x, std::int32_t y, UnitMotion& out) const noexcept {
    const int level = slice_.Log2ParMrgLevel;
    if (block_.xPb >> level == x >> level && block_.yPb >> level == y >> level) return false;
    return neighbours_.find(x, y, out);
  }

  /// Spatial merging candidates (8.5.3.2.3). True once there are more than `merge_idx`.
  bool add_spatial(int merge_idx) noexcept {
    const auto [xPb, yPb, nPbW, nPbH] = block_;
    UnitMotion a1, b1, candidate;
    const bool availableA1 =
        !(is_second_ && (kSideBySide & part_bit_) != 0) && find(xPb - 1, yPb + nPbH - 1, a1);
    if (availableA1) add(a1);
    if (count_ > merge_idx) return true;
    const bool availableB1 =
        !(is_second_ && (kOneAboveOther & part_bit_) != 0) && find(xPb + nPbW - 1, yPb - 1, b1);
    if (availableB1 && !(availableA1 && b1 == a1)) add(b1);
    if (count_ > merge_idx) return true;
    if (find(xPb + nPbW, yPb - 1, candidate) && !(availableB1 && candidate == b1)) add(candidate);
    if (count_ > merge_idx) return true;
    if (find(xPb - 1, yPb + nPbH, candidate) && !(availableA1 && candidate == a1)) add(candidate);
    if (count_ > merge_idx) return true;
    if (count_ < 4 && find(xPb - 1, yPb - 1, candidate) && !(availableA1 && candidate == a1) &&
        !(availableB1 && candidate == b1)) {
      add(candidate);
    }
    return count_ > merge_idx;
  }

  void add_temporal() noexcept {
    UnitMotion col;
    for (int list = 0; list < (slice_.is_b ? 2 : 1); ++list) {
      if (derive_temporal_vector(slice_, block_, list, 0, col.mv[list])) col.ref_idx[list] = 0;
    }
    if (col.uses(0) || col.uses(1)) add(col);
  }

  /// Combined bi-predictive merging candidates (8.5.3.2.4).
  void add_combined(int merge_idx) noexcept {
    // Table 8-7.
    static constexpr std::uint8_t l0CandIdx[12] = {0, 1, 0, 2, 1, 2, 0, 3, 1, 3, 2, 3};
    static constexpr std::uint8_t l1CandIdx[12] = {1, 0, 2, 0, 2, 1, 3, 0, 3, 1, 3, 2};
    const int numOrigMergeCand = count_;
    if (numOrigMergeCand >= slice_.MaxNumMergeCand) return;
    for (int combIdx = 0; combIdx < numOrigMergeCand * (numOrigMergeCand - 1); ++combIdx) {
      const UnitMotion& l0Cand = list_[l0CandIdx[combIdx]];
      const UnitMotion& l1Cand = list_[l1CandIdx[combIdx]];
      if (!l0Cand.uses(0) || !l1Cand.uses(1)) continue;
      if (slice_.poc[0][l0Cand.ref_idx[0]] == slice_.poc[1][l1Cand.ref_idx[1]] &&
          l0Cand.mv[0] == l1Cand.mv[1]) {
        continue;
      }
      add({{l0Cand.mv[0], l1Cand.mv[1]}, {l0Cand.ref_idx[0], l1Cand.ref_idx[1]}});
      if (count_ > merge_idx || count_ == slice_.MaxNumMergeCand) return;
    }
  }

  /// Zero motion vector merging candidates (8.5.3.2.5).
  UnitMotion zero_candidate(int zeroIdx) const noexcept {
    const int numRefIdx = slice_.is_b ? std::min(slice_.num_ref_idx[0], slice_.num_ref_idx[1])
                                      : slice_.num_ref_idx[0];
    const auto refIdx = static_cast<std::int8_t>(zeroIdx < numRefIdx ? zeroIdx : 0);
    return {{{0, 0}, {0, 0}}, {refIdx, slice_.is_b ? refIdx : std::int8_t{-1}}};
  }

  void add(const UnitMotion& candidate) noexcept { list_[count_++] = candidate; }

  SliceMotion& slice_;
  const MotionNeighbours& neighbours_;
  PredictionBlock block_;
  unsigned part_bit_ = 1;
  bool is_second_ = false;
  UnitMotion list_[6];
  int count_ = 0;
};

}  // namespace

UnitMotion derive_merge(SliceMotion& slice, const MotionNeighbours& neighbours,
                        const PredictionUnit& unit) noexcept {
  const UnitMotion motion =
      MergeList(slice, neighbours, unit).derive(std::min<int>(unit.merge_idx, 4));
  // 8x4 and 4x8 blocks are never predicted from both lists (8.5.3.2.2).
  if (unit.width + unit.height == 12 && motion.uses(0) && motion.uses(1)) [[unlikely]] {
    return {{motion.mv[0], {0, 0}}, {motion.ref_idx[0], -1}};
  }
  return motion;
}

}  // namespace cope::h265
