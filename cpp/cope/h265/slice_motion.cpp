#include "cope/h265/slice_motion.h"

#include <algorithm>

namespace cope::h265 {

void SliceMotion::begin(const CodedSegment& segment, const prim::SliceRefs& refs,
                        std::int32_t current_poc, PictureLookup lookup,
                        void* lookup_context) noexcept {
  const SliceHeader& header = segment.header;
  is_b = header.is_b();
  collocated_from_l0_flag = header.collocated_from_l0_flag;
  slice_temporal_mvp_enabled_flag = header.slice_temporal_mvp_enabled_flag;
  MaxNumMergeCand = header.MaxNumMergeCand();
  Log2ParMrgLevel = segment.pps->Log2ParMrgLevel();
  CtbLog2SizeY = segment.sps->CtbLog2SizeY;
  NoBackwardPredFlag = true;
  for (int list = 0; list < 2; ++list) {
    num_ref_idx[list] = std::clamp(refs.num_ref[list], 0, kMaxRefs);
    for (int i = 0; i < kMaxRefs; ++i) {
      const prim::RefPicture& ref = refs.ref[list][i];
      poc[list][i] = ref.poc;
      is_long_term[list][i] = ref.is_long_term;
      distance[list][i] = std::int64_t{current_poc} - ref.poc;
      if (i < num_ref_idx[list] && distance[list][i] < 0) NoBackwardPredFlag = false;
    }
  }

  ColPic = nullptr;
  misses_ColPic = false;
  if (!slice_temporal_mvp_enabled_flag) return;
  const int list = is_b && !collocated_from_l0_flag ? 1 : 0;
  const prim::RefPicture& ref = refs.ref[list][header.collocated_ref_idx & (kMaxRefs - 1)];
  if (header.collocated_ref_idx < num_ref_idx[list] && !ref.is_missing && ref.decode_index >= 0) {
    ColPic = lookup(lookup_context, ref.decode_index);
  }
  misses_ColPic = ColPic == nullptr;
}

}  // namespace cope::h265
