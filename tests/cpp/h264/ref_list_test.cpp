#include "cope/h264/ref_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "cope/prim/picture_info.h"

namespace cope::h264 {
namespace {

/// A reference frame coded as picture `decode_index`, at POC `poc` (bottom field one later).
ReferenceFrame short_term(int FrameNumWrap, int poc, std::int64_t decode_index) {
  ReferenceFrame f;
  f.decode_index[0] = f.decode_index[1] = decode_index;
  f.poc[0] = poc;
  f.poc[1] = poc + 1;
  f.FrameNum = f.FrameNumWrap = FrameNumWrap;
  f.fields = f.short_term = kBothFields;
  return f;
}

ReferenceFrame long_term(int LongTermFrameIdx, int poc, std::int64_t decode_index) {
  ReferenceFrame f = short_term(0, poc, decode_index);
  f.short_term = 0;
  f.long_term = kBothFields;
  f.LongTermFrameIdx = LongTermFrameIdx;
  return f;
}

SliceHeader slice(SliceType slice_type, int num_ref0, int num_ref1 = 0,
                  std::uint8_t fields = kBothFields, int frame_num = 15) {
  SliceHeader h;
  h.slice_type = slice_type;
  h.frame_num = static_cast<std::uint16_t>(frame_num);
  h.field_pic_flag = fields != kBothFields;
  h.bottom_field_flag = fields == kBottomField;
  h.MaxPicNum = h.field_pic_flag ? 32 : 16;
  h.CurrPicNum = h.field_pic_flag ? 2 * frame_num + 1 : frame_num;
  h.num_ref_idx_active[0] = static_cast<std::uint8_t>(num_ref0);
  h.num_ref_idx_active[1] = static_cast<std::uint8_t>(num_ref1);
  return h;
}

void modify(SliceHeader& h, int X, int modification_of_pic_nums_idc, unsigned value) {
  h.ref_pic_list_modification_flag[X] = true;
  RefPicListModification& m = h.ref_pic_list_modification[X][h.num_ref_pic_list_modifications[X]++];
  m.modification_of_pic_nums_idc = static_cast<std::uint8_t>(modification_of_pic_nums_idc);
  (modification_of_pic_nums_idc == 2 ? m.long_term_pic_num : m.abs_diff_pic_num_minus1) = value;
}

/// "7 5t 3b*": decode_index, field, * for long-term; "-" for no picture.
std::string list_of(const SliceHeader& header, const std::vector<ReferenceFrame>& frames, int X = 0,
                    std::int32_t poc = 1000, const Sps& sps = Sps()) {
  prim::SliceRefs refs;
  build_ref_pic_lists(sps, header, poc, frames, refs);
  std::string out;
  for (int i = 0; i < refs.num_ref[X]; ++i) {
    const prim::RefPicture& r = refs.ref[X][i];
    if (i > 0) out += ' ';
    if (r.decode_index < 0) {
      EXPECT_TRUE(r.is_missing);
      out += '-';
      continue;
    }
    out += std::to_string(r.decode_index);
    if (r.structure != 0) out += r.structure == 1 ? 't' : 'b';
    if (r.is_long_term) out += '*';
  }
  return out;
}

// The example of 8.2.4.2.1: PicNum 300, 302, 303 and LongTermPicNum 0, 3.
TEST(RefList, PFrames) {
  const std::vector<ReferenceFrame> frames = {short_term(300, 0, 1), long_term(3, 0, 2),
                                              short_term(303, 0, 3), short_term(302, 0, 4),
                                              long_term(0, 0, 5)};
  SliceHeader h = slice(SliceType::P, 5, 0, kBothFields, 304);
  EXPECT_EQ(list_of(h, frames), "3 4 1 5* 2*");
  h.num_ref_idx_active[0] = 2;
  EXPECT_EQ(list_of(h, frames), "3 4");
  h.num_ref_idx_active[0] = 7;
  EXPECT_EQ(list_of(h, frames), "3 4 1 5* 2* - -");
  h.slice_type = SliceType::SP;
  EXPECT_EQ(list_of(h, frames), "3 4 1 5* 2* - -");
  h.slice_type = SliceType::I;
  EXPECT_EQ(list_of(h, frames), "");
}

TEST(RefList, FramesNeedBothFields) {
  std::vector<ReferenceFrame> frames = {short_term(1, 0, 1), short_term(2, 0, 2),
                                        long_term(0, 0, 3)};
  frames[0].short_term = kTopField;
  frames[2].long_term = kBottomField;
  EXPECT_EQ(list_of(slice(SliceType::P, 3), frames), "2 - -");
  EXPECT_EQ(list_of(slice(SliceType::P, 4, 0, kTopField), frames), "2t 2b 1t 3b*");
}

TEST(RefList, BFramesByPicOrderCnt) {
  const std::vector<ReferenceFrame> frames = {short_term(1, 0, 1), short_term(2, 16, 2),
                                              short_term(3, 8, 3), short_term(4, 4, 4),
                                              long_term(1, 6, 5),  long_term(0, 2, 6)};
  const SliceHeader h = slice(SliceType::B, 6, 6);
  EXPECT_EQ(list_of(h, frames, 0, 6), "4 1 3 2 6* 5*");
  EXPECT_EQ(list_of(h, frames, 1, 6), "3 2 4 1 6* 5*");
}

TEST(RefList, EqualListsOfBSlicesDifferInTheFirstTwo) {
  const std::vector<ReferenceFrame> past = {short_term(1, 0, 1), short_term(2, 4, 2),
                                            short_term(3, 8, 3)};
  SliceHeader h = slice(SliceType::B, 3, 3);
  EXPECT_EQ(list_of(h, past, 0, 12), "3 2 1");
  EXPECT_EQ(list_of(h, past, 1, 12), "2 3 1");
  // Before either is cut: list 1 of one entry shows the swap.
  h = slice(SliceType::B, 3, 1);
  EXPECT_EQ(list_of(h, past, 1, 12), "2");
  const std::vector<ReferenceFrame> one = {short_term(1, 0, 1)};
  EXPECT_EQ(list_of(slice(SliceType::B, 1, 1), one, 1, 12), "1");
  // Long-term frames count as well.
  const std::vector<ReferenceFrame> longs = {long_term(0, 0, 1), long_term(1, 0, 2)};
  EXPECT_EQ(list_of(slice(SliceType::B, 2, 2), longs, 1, 12), "2* 1*");
}

TEST(RefList, InferredFramesHaveNoPicOrderCntOfType0) {
  std::vector<ReferenceFrame> frames = {short_term(1, 0, 1), short_term(2, 0, -1),
                                        short_term(3, 8, 3)};
  frames[1].is_missing = true;
  EXPECT_EQ(list_of(slice(SliceType::P, 3), frames), "3 - 1");
  EXPECT_EQ(list_of(slice(SliceType::B, 3, 3), frames, 0, 12), "3 1 -");
  Sps sps;
  sps.pic_order_cnt_type = 2;
  frames[1].poc[0] = frames[1].poc[1] = 4;
  EXPECT_EQ(list_of(slice(SliceType::B, 3, 3), frames, 0, 12, sps), "3 - 1");
}

TEST(RefList, PFieldsAlternateFromTheirOwnParity) {
  const std::vector<ReferenceFrame> frames = {short_term(1, 0, 1), short_term(2, 0, 2),
                                              long_term(2, 0, 3)};
  EXPECT_EQ(list_of(slice(SliceType::P, 6, 0, kTopField), frames), "2t 2b 1t 1b 3t* 3b*");
  EXPECT_EQ(list_of(slice(SliceType::P, 6, 0, kBottomField), frames), "2b 2t 1b 1t 3b* 3t*");
}

TEST(RefList, MissingFieldsAreSteppedOver) {
  std::vector<ReferenceFrame> frames = {short_term(1, 0, 1), short_term(2, 0, 2),
                                        short_term(3, 0, 3), short_term(4, 0, 4)};
  frames[3].short_term = kBottomField;
  frames[2].short_term = kBottomField;
  frames[1].short_term = kTopField;
  // Top fields in order: 2, 1. Bottom fields: 4, 3, 1.
  EXPECT_EQ(list_of(slice(SliceType::P, 6, 0, kTopField), frames), "2t 4b 1t 3b 1b -");
  EXPECT_EQ(list_of(slice(SliceType::P, 6, 0, kBottomField), frames), "4b 2t 3b 1t 1b -");
}

TEST(RefList, SecondFieldRefersToTheFirst) {
  std::vector<ReferenceFrame> frames = {short_term(14, 0, 1), short_term(15, 8, 2)};
  frames[1].fields = frames[1].short_term = kTopField;  // first field of the current frame
  frames[1].decode_index[1] = -1;
  EXPECT_EQ(list_of(slice(SliceType::P, 3, 0, kBottomField), frames), "1b 2t 1t");
  // In a B slice it stands at its own POC, not after the current field.
  EXPECT_EQ(list_of(slice(SliceType::B, 3, 3, kBottomField), frames, 0, 9), "1b 2t 1t");
}

TEST(RefList, BFieldsByPicOrderCntOfTheirFrames) {
  const std::vector<ReferenceFrame> frames = {short_term(1, 0, 1), short_term(2, 8, 2),
                                              short_term(3, 4, 3)};
  const SliceHeader h = slice(SliceType::B, 6, 6, kBottomField);
  EXPECT_EQ(list_of(h, frames, 0, 5), "3b 3t 1b 1t 2b 2t");
  EXPECT_EQ(list_of(h, frames, 1, 5), "2b 2t 3b 3t 1b 1t");
  EXPECT_EQ(list_of(h, frames, 0, 4), "3b 3t 1b 1t 2b 2t");  // an equal count is the past
}

TEST(RefList, DescribesThePicturesOfAnEntry) {
  ReferenceFrame pair = short_term(1, 20, 7);  // bottom field first
  pair.decode_index[1] = 6;
  pair.poc[1] = 19;
  const std::vector<ReferenceFrame> frames = {pair};
  prim::SliceRefs refs;
  build_ref_pic_lists(Sps(), slice(SliceType::P, 1), 30, frames, refs);
  EXPECT_EQ(refs.ref[0][0].decode_index, 6);
  EXPECT_EQ(refs.ref[0][0].second_decode_index, 7);
  EXPECT_EQ(refs.ref[0][0].poc, 19);
  EXPECT_EQ(refs.ref[0][0].top_poc, 20);
  build_ref_pic_lists(Sps(), slice(SliceType::P, 2, 0, kTopField), 30, frames, refs);
  EXPECT_EQ(refs.ref[0][0].decode_index, 7);
  EXPECT_EQ(refs.ref[0][0].second_decode_index, 6);
  EXPECT_EQ(refs.ref[0][0].poc, 20);
  EXPECT_EQ(refs.ref[0][0].structure, static_cast<int>(prim::PictureStructure::kTop));
  EXPECT_EQ(refs.ref[0][1].decode_index, 6);
  EXPECT_EQ(refs.ref[0][1].poc, 19);
}

TEST(RefList, ModificationMovesPicturesToTheFront) {
  const std::vector<ReferenceFrame> frames = {short_term(11, 0, 1), short_term(12, 0, 2),
                                              short_term(13, 0, 3), long_term(2, 0, 4)};
  SliceHeader h = slice(SliceType::P, 4, 0, kBothFields, 14);
  modify(h, 0, 0, 2);  // 14 - 3 = 11
  EXPECT_EQ(list_of(h, frames), "1 3 2 4*");
  modify(h, 0, 2, 2);
  EXPECT_EQ(list_of(h, frames), "1 4* 3 2");
  modify(h, 0, 1, 0);  // 11 + 1 = 12
  EXPECT_EQ(list_of(h, frames), "1 4* 2 3");
  // The same picture twice, for several weights: the rest moves on and the last falls out.
  modify(h, 0, 0, 15);  // 12 - 16 wraps to 12
  EXPECT_EQ(list_of(h, frames), "1 4* 2 2");
}

TEST(RefList, ModificationReachesBeyondTheCutList) {
  const std::vector<ReferenceFrame> frames = {short_term(11, 0, 1), short_term(12, 0, 2),
                                              short_term(13, 0, 3)};
  SliceHeader h = slice(SliceType::P, 2, 0, kBothFields, 14);
  modify(h, 0, 0, 2);
  EXPECT_EQ(list_of(h, frames), "1 3");
}

TEST(RefList, ModificationWrapsPicNum) {
  const std::vector<ReferenceFrame> frames = {short_term(-2, 0, 1), short_term(-1, 0, 2),
                                              short_term(0, 0, 3)};
  SliceHeader h = slice(SliceType::P, 3, 0, kBothFields, 1);
  modify(h, 0, 0, 2);  // 1 - 3 = -2, as 14 of 16, above CurrPicNum
  EXPECT_EQ(list_of(h, frames), "1 3 2");
  modify(h, 0, 1, 0);  // 14 + 1 = 15: PicNum -1
  EXPECT_EQ(list_of(h, frames), "1 2 3");
}

TEST(RefList, ModificationOfFields) {
  const std::vector<ReferenceFrame> frames = {short_term(5, 0, 1), short_term(6, 0, 2),
                                              long_term(1, 0, 3)};
  SliceHeader h = slice(SliceType::P, 6, 0, kBottomField, 7);  // CurrPicNum 15
  modify(h, 0, 0, 4);  // PicNum 10: opposite parity of frame 5
  modify(h, 0, 2, 3);  // LongTermPicNum 3: same parity of index 1
  EXPECT_EQ(list_of(h, frames), "1t 3b* 2b 2t 1b 3t*");
}

TEST(RefList, ModificationOfAMissingPictureKeepsItsPlace) {
  const std::vector<ReferenceFrame> frames = {short_term(12, 0, 2), short_term(13, 0, 3)};
  SliceHeader h = slice(SliceType::P, 3, 0, kBothFields, 14);
  modify(h, 0, 0, 2);
  EXPECT_EQ(list_of(h, frames), "- 3 2");
  SliceHeader empty = slice(SliceType::P, 2);
  modify(empty, 0, 2, 31);
  EXPECT_EQ(list_of(empty, {}), "- -");
}

// ---- against a transcription of 8.2.4 that makes no effort to be quick

struct Pic {
  std::size_t frame;
  std::uint8_t fields;
  bool is_long;
  bool operator==(const Pic&) const = default;
};
using Pics = std::vector<Pic>;

class Oracle {
 public:
  Oracle(const SliceHeader& h, std::int32_t poc, const std::vector<ReferenceFrame>& frames)
      : h_(h), poc_(poc), frames_(frames), current_(fields_of(h)) {}

  Pics list(int X) const {
    Pics list = initial(X);
    if (h_.is_b() && X == 1 && list.size() > 1 && list == initial(0)) std::swap(list[0], list[1]);
    list.resize(h_.num_ref_idx_active[X], Pic{~std::size_t{0}, 0, false});
    std::int32_t pred = h_.CurrPicNum;
    std::size_t refIdxLX = 0;
    for (int i = 0; i < h_.num_ref_pic_list_modifications[X]; ++i) {
      const RefPicListModification& m = h_.ref_pic_list_modification[X][i];
      const bool is_long = m.modification_of_pic_nums_idc == 2;
      std::int32_t number = static_cast<std::int32_t>(m.long_term_pic_num);
      if (!is_long) {
        const auto abs_diff = static_cast<std::int32_t>(m.abs_diff_pic_num_minus1 + 1);
        if (m.modification_of_pic_nums_idc == 0) {
          pred = pred - abs_diff < 0 ? pred - abs_diff + h_.MaxPicNum : pred - abs_diff;
        } else {
          pred = pred + abs_diff >= h_.MaxPicNum ? pred + abs_diff - h_.MaxPicNum : pred + abs_diff;
        }
        number = pred > h_.CurrPicNum ? pred - h_.MaxPicNum : pred;
      }
      const Pic pic = named(number, is_long);
      list.push_back({});
      for (std::size_t c = list.size() - 1; c > refIdxLX; --c) list[c] = list[c - 1];
      list[refIdxLX++] = pic;
      std::size_t n = refIdxLX;
      for (std::size_t c = refIdxLX; c < list.size(); ++c) {
        if (!(list[c] == pic)) list[n++] = list[c];
      }
      list.pop_back();
    }
    return list;
  }

  std::vector<std::pair<std::int32_t, bool>> all_numbers() const {
    std::vector<std::pair<std::int32_t, bool>> out;
    for (const Pic& p : every()) out.emplace_back(number_of(p), p.is_long);
    return out;
  }

 private:
  bool marked(const Pic& p) const {
    const ReferenceFrame& f = frames_[p.frame];
    return ((p.is_long ? f.long_term : f.short_term) & p.fields) == p.fields;
  }
  Pics every() const {
    Pics out;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      for (const bool is_long : {false, true}) {
        if (current_ == kBothFields) {
          out.push_back({i, kBothFields, is_long});
        } else {
          out.push_back({i, kTopField, is_long});
          out.push_back({i, kBottomField, is_long});
        }
      }
    }
    std::erase_if(out, [this](const Pic& p) { return !marked(p); });
    return out;
  }
  std::int32_t number_of(const Pic& p) const {
    const ReferenceFrame& f = frames_[p.frame];
    const std::int32_t n = p.is_long ? f.LongTermFrameIdx : f.FrameNumWrap;
    return current_ == kBothFields ? n : p.fields == current_ ? 2 * n + 1 : 2 * n;
  }
  Pic named(std::int32_t number, bool is_long) const {
    for (const Pic& p : every()) {
      if (p.is_long == is_long && number_of(p) == number) return p;
    }
    ADD_FAILURE() << "no picture " << number;
    return {};
  }

  Pics initial(int X) const {
    Pics out;
    if (current_ == kBothFields) {
      out = every();
      std::sort(out.begin(), out.end(), [&](const Pic& a, const Pic& b) {
        return before(a.frame, a.is_long, b.frame, b.is_long, X);
      });
      return out;
    }
    for (const bool is_long : {false, true}) {
      std::vector<std::size_t> order;
      for (std::size_t i = 0; i < frames_.size(); ++i) {
        if ((is_long ? frames_[i].long_term : frames_[i].short_term) != 0) order.push_back(i);
      }
      std::sort(order.begin(), order.end(),
                [&](std::size_t a, std::size_t b) { return before(a, is_long, b, is_long, X); });
      std::deque<Pic> same;
      std::deque<Pic> opposite;
      for (const std::size_t i : order) {
        for (const std::uint8_t parity : {kTopField, kBottomField}) {
          const Pic p{i, parity, is_long};
          if (marked(p)) (parity == current_ ? same : opposite).push_back(p);
        }
      }
      for (bool take_same = true; !same.empty() && !opposite.empty(); take_same = !take_same) {
        std::deque<Pic>& from = take_same ? same : opposite;
        out.push_back(from.front());
        from.pop_front();
      }
      // One side is used up: the other follows.
      for (const auto* rest : {&same, &opposite}) out.insert(out.end(), rest->begin(), rest->end());
    }
    return out;
  }
  bool before(std::size_t a, bool a_long, std::size_t b, bool b_long, int X) const {
    const ReferenceFrame& fa = frames_[a];
    const ReferenceFrame& fb = frames_[b];
    if (a_long != b_long) return b_long;
    if (a_long) return fa.LongTermFrameIdx < fb.LongTermFrameIdx;
    if (!h_.is_b()) return fa.FrameNumWrap > fb.FrameNumWrap;
    const std::int32_t pa = std::min(fa.poc[0], fa.poc[1]);
    const std::int32_t pb = std::min(fb.poc[0], fb.poc[1]);
    const bool first_a = X == 0 ? pa <= poc_ : pa > poc_;
    const bool first_b = X == 0 ? pb <= poc_ : pb > poc_;
    if (first_a != first_b) return first_a;
    return (first_a == (X == 0)) ? pa > pb : pa < pb;
  }

  const SliceHeader& h_;
  std::int32_t poc_;
  const std::vector<ReferenceFrame>& frames_;
  std::uint8_t current_;
};

TEST(RefList, EqualsTheSlowTranscription) {
  std::mt19937 rng(7);
  const auto below = [&rng](int n) { return static_cast<int>(rng() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 4000; ++round) {
    const auto current = static_cast<std::uint8_t>(1 + below(3));
    const SliceType type = below(2) == 0 ? SliceType::P : SliceType::B;
    std::vector<ReferenceFrame> frames;
    std::vector<int> indices(16);
    for (int i = 0; i < 16; ++i) indices[static_cast<std::size_t>(i)] = i;
    std::shuffle(indices.begin(), indices.end(), rng);
    const int num_frames = 1 + below(8);
    for (int i = 0; i < num_frames; ++i) {
      ReferenceFrame f = short_term(i - 3, 4 * indices[static_cast<std::size_t>(i)], 2 * i);
      f.LongTermFrameIdx = indices[static_cast<std::size_t>(15 - i)];
      const auto random_mask = [&] { return static_cast<std::uint8_t>(below(4)); };
      f.long_term = below(3) == 0 ? random_mask() : std::uint8_t{0};
      f.short_term =
          static_cast<std::uint8_t>((below(3) == 0 ? random_mask() : kBothFields) & ~f.long_term);
      frames.push_back(f);
    }
    SliceHeader h =
        slice(type, 1 + below(16), type == SliceType::B ? 1 + below(16) : 0, current, 6);
    const std::int32_t poc = 4 * below(16) + 2;
    const Oracle oracle(h, poc, frames);
    const auto numbers = oracle.all_numbers();
    for (int X = 0; X < (h.is_b() ? 2 : 1) && !numbers.empty(); ++X) {
      std::int32_t pred = h.CurrPicNum;
      for (int i = below(std::min<int>(5, h.num_ref_idx_active[X] + 1)); i > 0; --i) {
        const auto [number, is_long] =
            numbers[static_cast<std::size_t>(below(static_cast<int>(numbers.size())))];
        if (is_long) {
          modify(h, X, 2, static_cast<unsigned>(number));
        } else {
          const std::int32_t target = (number + h.MaxPicNum) % h.MaxPicNum;
          const std::int32_t up = (target - pred + h.MaxPicNum - 1) % h.MaxPicNum;
          const std::int32_t down = (pred - target + h.MaxPicNum - 1) % h.MaxPicNum;
          const bool goes_up = below(2) == 0;
          modify(h, X, goes_up ? 1 : 0, static_cast<unsigned>(goes_up ? up : down));
          pred = target;
        }
      }
    }
    prim::SliceRefs refs;
    build_ref_pic_lists(Sps(), h, poc, frames, refs);
    for (int X = 0; X < (h.is_b() ? 2 : 1); ++X) {
      const Pics expected = oracle.list(X);
      ASSERT_EQ(static_cast<std::size_t>(refs.num_ref[X]), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const prim::RefPicture& r = refs.ref[X][i];
        if (expected[i].fields == 0) {
          ASSERT_TRUE(r.is_missing) << round;
          continue;
        }
        ASSERT_EQ(r.decode_index, static_cast<std::int64_t>(2 * expected[i].frame))
            << round << ' ' << i;
        ASSERT_EQ(r.structure, expected[i].fields % 3) << round << ' ' << i;
        ASSERT_EQ(r.is_long_term, expected[i].is_long) << round << ' ' << i;
      }
    }
  }
}

}  // namespace
}  // namespace cope::h264
