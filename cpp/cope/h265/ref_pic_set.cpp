#include "cope/h265/ref_pic_set.h"

namespace cope::h265 {
namespace {

/// The half of a reference picture set that lies before or behind the current picture.
struct Half {
  std::uint8_t& count;
  std::int32_t (&delta_poc)[kMaxDpbSize];
  bool (&used)[kMaxDpbSize];

  /// False when it is full.
  bool add(std::int32_t dPoc, bool used_by_curr_pic) noexcept {
    if (count == kMaxDpbSize) return false;
    delta_poc[count] = dPoc;
    used[count++] = used_by_curr_pic;
    return true;
  }
};

/// What an inter-predicted set says of each picture of the set it starts from, and of that set's
/// own picture behind them.
struct Choice {
  bool used_by_curr_pic_flag = false;
  bool use_delta_flag = true;
};

/// (7-61), (7-62): both lists, each outwards from the current picture. False when one is full.
bool predict_set(const ShortTermRefPicSet& ref, std::int32_t deltaRps,
                 const Choice (&choice)[kMaxDpbSize + 1], ShortTermRefPicSet& out) noexcept {
  Half before{out.NumNegativePics, out.DeltaPocS0, out.UsedByCurrPicS0};
  Half behind{out.NumPositivePics, out.DeltaPocS1, out.UsedByCurrPicS1};
  const auto take = [&choice](Half& half, bool is_before, std::int32_t dPoc, int j) {
    const bool is_there = is_before ? dPoc < 0 : dPoc > 0;
    return !is_there || !choice[j].use_delta_flag ||
           half.add(dPoc, choice[j].used_by_curr_pic_flag);
  };
  const int negative = ref.NumNegativePics;
  const int all = ref.NumDeltaPocs();
  bool fits = true;
  for (int j = ref.NumPositivePics - 1; j >= 0; --j) {
    fits = fits && take(before, true, ref.DeltaPocS1[j] + deltaRps, negative + j);
  }
  fits = fits && take(before, true, deltaRps, all);
  for (int j = 0; j < negative; ++j) {
    fits = fits && take(before, true, ref.DeltaPocS0[j] + deltaRps, j);
  }
  for (int j = negative - 1; j >= 0; --j) {
    fits = fits && take(behind, false, ref.DeltaPocS0[j] + deltaRps, j);
  }
  fits = fits && take(behind, false, deltaRps, all);
  for (int j = 0; j < ref.NumPositivePics; ++j) {
    fits = fits && take(behind, false, ref.DeltaPocS1[j] + deltaRps, negative + j);
  }
  return fits;
}

Status parse_predicted_set(bits::BitReader& r, int stRpsIdx, const ShortTermRefPicSet* sets,
                           int num_sets, ShortTermRefPicSet& out) {
  std::uint32_t delta_idx_minus1 = 0;
  if (stRpsIdx == num_sets) {
    delta_idx_minus1 = r.ue();
    COPE_REQUIRE(delta_idx_minus1 < static_cast<std::uint32_t>(stRpsIdx), "delta_idx_minus1",
                 "H.265 7.4.8");
  }
  const bool delta_rps_sign = r.flag();
  const std::uint32_t abs_delta_rps_minus1 = r.ue();
  COPE_REQUIRE(abs_delta_rps_minus1 <= 32767, "abs_delta_rps_minus1", "H.265 7.4.8");
  const auto absDeltaRps = static_cast<std::int32_t>(abs_delta_rps_minus1 + 1);
  const std::int32_t deltaRps = delta_rps_sign ? -absDeltaRps : absDeltaRps;
  const ShortTermRefPicSet& ref = sets[stRpsIdx - 1 - static_cast<int>(delta_idx_minus1)];
  Choice choice[kMaxDpbSize + 1];
  for (int j = 0; j <= ref.NumDeltaPocs(); ++j) {
    choice[j].used_by_curr_pic_flag = r.flag();
    if (!choice[j].used_by_curr_pic_flag) choice[j].use_delta_flag = r.flag();
  }
  COPE_REQUIRE(predict_set(ref, deltaRps, choice, out), "NumDeltaPocs", "H.265 7.4.8");
  return {};
}

/// One list of an explicit set: (7-65) to (7-68).
Status parse_half(bits::BitReader& r, int num_pics, std::int32_t sign, Half half) {
  std::int32_t dPoc = 0;
  for (int i = 0; i < num_pics; ++i) {
    const std::uint32_t delta_poc_minus1 = r.ue();
    COPE_REQUIRE(delta_poc_minus1 <= 32767,
                 sign < 0 ? "delta_poc_s0_minus1" : "delta_poc_s1_minus1", "H.265 7.4.8");
    dPoc += sign * static_cast<std::int32_t>(delta_poc_minus1 + 1);
    half.add(dPoc, r.flag());  // used_by_curr_pic_s0_flag, used_by_curr_pic_s1_flag
  }
  return {};
}

}  // namespace

Status parse_st_ref_pic_set(bits::BitReader& r, int stRpsIdx, const ShortTermRefPicSet* sets,
                            int num_sets, ShortTermRefPicSet& out) {
  out = ShortTermRefPicSet{};
  const bool inter_ref_pic_set_prediction_flag = stRpsIdx != 0 && r.flag();
  if (inter_ref_pic_set_prediction_flag) {
    COPE_RETURN_IF_ERROR(parse_predicted_set(r, stRpsIdx, sets, num_sets, out));
  } else {
    const std::uint32_t num_negative_pics = r.ue();
    COPE_REQUIRE(num_negative_pics <= kMaxDpbSize, "num_negative_pics", "H.265 7.4.8");
    const std::uint32_t num_positive_pics = r.ue();
    COPE_REQUIRE(num_positive_pics <= kMaxDpbSize - num_negative_pics, "num_positive_pics",
                 "H.265 7.4.8");
    COPE_RETURN_IF_ERROR(parse_half(r, static_cast<int>(num_negative_pics), -1,
                                    {out.NumNegativePics, out.DeltaPocS0, out.UsedByCurrPicS0}));
    COPE_RETURN_IF_ERROR(parse_half(r, static_cast<int>(num_positive_pics), 1,
                                    {out.NumPositivePics, out.DeltaPocS1, out.UsedByCurrPicS1}));
  }
  COPE_REQUIRE(out.NumDeltaPocs() <= kMaxDpbSize, "NumDeltaPocs", "H.265 7.4.8");
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.265 7.3.7");
  return {};
}

}  // namespace cope::h265
