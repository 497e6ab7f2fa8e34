#include "cope/h265/mv_amvp.h"

#include "cope/h265/mv_temporal.h"

namespace cope::h265 {

namespace {

/// One reference of one slice as spatial candidates are held against it.
class SpatialPredictor {
 public:
  SpatialPredictor(const SliceMotion& slice, int list, int refIdxLX) noexcept
      : slice_(slice),
        list_(list),
        poc_(slice.poc[list][refIdxLX]),
        is_long_term_(slice.is_long_term[list][refIdxLX]),
        distance_(slice.distance[list][refIdxLX]) {}

  /// A vector of the neighbour to the same picture; list X first.
  bool take_same(const UnitMotion& neighbour, MotionVector& mv) const noexcept {
    for (const int list : {list_, 1 - list_}) {
      if (neighbour.uses(list) && slice_.poc[list][neighbour.ref_idx[list]] == poc_) {
        mv = neighbour.mv[list];
        return true;
      }
    }
    return false;
  }

  /// A vector of the neighbour to whatever picture is long-term as this one is, or short-term as
  /// this one is; then scaled.
  bool take_scaled(const UnitMotion& neighbour, MotionVector& mv) const noexcept {
    for (const int list : {list_, 1 - list_}) {
      if (!neighbour.uses(list)) continue;
      const int ref_idx = neighbour.ref_idx[list];
      if (slice_.is_long_term[list][ref_idx] != is_long_term_) continue;
      mv = neighbour.mv[list];
      const std::int64_t td = slice_.distance[list][ref_idx];
      if (!is_long_term_ && td != distance_ && td != 0) {
        mv = scale_vector(mv, clip_poc_distance(distance_), clip_poc_distance(td));
      }
      return true;
    }
    return false;
  }

 private:
  const SliceMotion& slice_;
  int list_;
  std::int32_t poc_;
  bool is_long_term_;
  std::int64_t distance_;
};

}  // namespace

MotionVector derive_mvp(SliceMotion& slice, const MotionNeighbours& neighbours,
                        const PredictionUnit& unit, int list, int refIdxLX, int mvp_flag) noexcept {
  const std::int32_t xPb = unit.x, yPb = unit.y, nPbW = unit.width, nPbH = unit.height;
  const SpatialPredictor predictor(slice, list, refIdxLX);

  UnitMotion a[2];
  const bool availableA[2] = {neighbours.find(xPb - 1, yPb + nPbH, a[0]),
                              neighbours.find(xPb - 1, yPb + nPbH - 1, a[1])};
  const bool isScaledFlagLX = availableA[0] || availableA[1];
  MotionVector mvLXA{0, 0};
  bool availableFlagLXA = (availableA[0] && predictor.take_same(a[0], mvLXA)) ||
                          (availableA[1] && predictor.take_same(a[1], mvLXA)) ||
                          (availableA[0] && predictor.take_scaled(a[0], mvLXA)) ||
                          (availableA[1] && predictor.take_scaled(a[1], mvLXA));
  if (availableFlagLXA && mvp_flag == 0) return mvLXA;

  UnitMotion b[3];
  const bool availableB[3] = {neighbours.find(xPb + nPbW, yPb - 1, b[0]),
                              neighbours.find(xPb + nPbW - 1, yPb - 1, b[1]),
                              neighbours.find(xPb - 1, yPb - 1, b[2])};
  MotionVector mvLXB{0, 0};
  bool availableFlagLXB = false;
  for (int k = 0; k < 3 && !availableFlagLXB; ++k) {
    availableFlagLXB = availableB[k] && predictor.take_same(b[k], mvLXB);
  }
  if (!isScaledFlagLX) {
    if (availableFlagLXB) {
      availableFlagLXA = true;
      mvLXA = mvLXB;
    }
    availableFlagLXB = false;
    for (int k = 0; k < 3 && !availableFlagLXB; ++k) {
      availableFlagLXB = availableB[k] && predictor.take_scaled(b[k], mvLXB);
    }
  }

  MotionVector mvpListLX[3] = {};
  int count = 0;
  if (availableFlagLXA) mvpListLX[count++] = mvLXA;
  if (availableFlagLXB && !(availableFlagLXA && mvLXA == mvLXB)) mvpListLX[count++] = mvLXB;
  if (count <= mvp_flag && slice.slice_temporal_mvp_enabled_flag) {
    derive_temporal_vector(slice, {xPb, yPb, nPbW, nPbH}, list, refIdxLX, mvpListLX[count]);
  }
  return mvpListLX[mvp_flag];
}

}  // namespace cope::h265
