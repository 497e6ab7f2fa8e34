#pragma once

#include <cstdint>

#include "cope/h265/coded_picture.h"
#include "cope/h265/picture_parser.h"
#include "cope/h265/unit_motion.h"

namespace cope::h265 {

/// What derivation of vectors needs to know of one slice.
struct SliceMotion {
  static constexpr int kMaxRefs = 16;

  /// \param current_poc  PicOrderCntVal of the current picture
  void begin(const CodedSegment& segment, const prim::SliceRefs& refs, std::int32_t current_poc,
             PictureLookup lookup, void* lookup_context) noexcept;

  bool is_b = false;
  bool collocated_from_l0_flag = true;
  bool slice_temporal_mvp_enabled_flag = false;
  bool NoBackwardPredFlag = false;  ///< no reference follows the current picture in output order
  int MaxNumMergeCand = 5;
  int Log2ParMrgLevel = 2;
  int CtbLog2SizeY = 6;
  int num_ref_idx[2] = {0, 0};
  std::int32_t poc[2][kMaxRefs] = {};       ///< PicOrderCntVal of RefPicListX[i]
  bool is_long_term[2][kMaxRefs] = {};      ///< LongTermRefPic of RefPicListX[i]
  std::int64_t distance[2][kMaxRefs] = {};  ///< DiffPicOrderCnt(currPic, RefPicListX[i])

  /// Null when temporal prediction is off or the picture is not at hand.
  const prim::PicturePrimitives* ColPic = nullptr;
  bool misses_ColPic = false;      ///< temporal prediction is on and ColPic is not at hand
  std::int32_t num_unfounded = 0;  ///< candidates looked at of which a loss leaves nothing known
};

/// A prediction block: luma location and size.
struct PredictionBlock {
  std::int32_t xPb = 0;
  std::int32_t yPb = 0;
  std::int32_t nPbW = 0;
  std::int32_t nPbH = 0;
};

}  // namespace cope::h265
