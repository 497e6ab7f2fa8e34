#include "cope/h264/ref_marking.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace cope::h264 {
namespace {

MemoryManagementControl mmco(int operation, unsigned a = 0, unsigned b = 0) {
  MemoryManagementControl m;
  m.memory_management_control_operation = static_cast<std::uint8_t>(operation);
  switch (operation) {
    case 1:
      m.difference_of_pic_nums_minus1 = a;
      break;
    case 2:
      m.long_term_pic_num = a;
      break;
    case 3:
      m.difference_of_pic_nums_minus1 = a;
      m.long_term_frame_idx = b;
      break;
    case 4:
      m.max_long_term_frame_idx_plus1 = a;
      break;
    case 6:
      m.long_term_frame_idx = a;
      break;
    default:
      break;
  }
  return m;
}

/// Decodes reference pictures one after the other and writes down what is marked.
class Marker {
 public:
  explicit Marker(int max_num_ref_frames) {
    sps_.max_num_ref_frames = static_cast<std::uint8_t>(max_num_ref_frames);
  }

  /// A reference frame.
  void frame(int frame_num, std::initializer_list<MemoryManagementControl> commands = {}) {
    picture(frame_num, kBothFields, -1, commands);
  }
  void idr(bool long_term_reference_flag) {
    SliceHeader h;
    h.dec_ref_pic_marking.long_term_reference_flag = long_term_reference_flag;
    ReferenceMarking::Picture p;
    p.decode_index = next_++;
    p.is_idr = true;
    marking_.mark(sps_, h, p);
  }
  /// The first (second) field of a frame.
  void first(int frame_num, std::uint8_t parity,
             std::initializer_list<MemoryManagementControl> commands = {}) {
    picture(frame_num, parity, -1, commands);
  }
  void second(int frame_num, std::uint8_t parity,
              std::initializer_list<MemoryManagementControl> commands = {}) {
    picture(frame_num, parity, next_ - 1, commands);
  }
  void missing(int frame_num) { marking_.infer_frame(sps_, frame_num, {}); }

  /// Frames in the order in which they came: FrameNum, then s or l (and index) for each marked
  /// field, '-' for an unmarked one, "?" when missing.
  std::string state() const {
    std::string out;
    for (const ReferenceFrame& f : marking_.frames()) {
      if (!out.empty()) out += ' ';
      out += std::to_string(f.FrameNum) + ':';
      for (const std::uint8_t parity : {kTopField, kBottomField}) {
        EXPECT_EQ(f.short_term & f.long_term, 0);
        EXPECT_EQ((f.short_term | f.long_term) & ~f.fields, 0);
        out += (f.short_term & parity) != 0 ? 's' : (f.long_term & parity) != 0 ? 'l' : '-';
      }
      if (f.long_term != 0) out += std::to_string(f.LongTermFrameIdx);
      if (f.is_missing) out += '?';
    }
    return out;
  }
  std::span<const ReferenceFrame> frames() const { return marking_.frames(); }

 private:
  void picture(int frame_num, std::uint8_t fields, std::int64_t first_field,
               std::initializer_list<MemoryManagementControl> commands) {
    SliceHeader h;
    h.frame_num = static_cast<std::uint16_t>(frame_num);
    h.field_pic_flag = fields != kBothFields;
    h.bottom_field_flag = fields == kBottomField;
    h.CurrPicNum = h.field_pic_flag ? 2 * frame_num + 1 : frame_num;
    h.MaxPicNum = sps_.MaxFrameNum() * (h.field_pic_flag ? 2 : 1);
    DecRefPicMarking& m = h.dec_ref_pic_marking;
    m.adaptive_ref_pic_marking_mode_flag = commands.size() != 0;
    for (const MemoryManagementControl& command : commands) m.mmco[m.num_mmco++] = command;
    marking_.update_frame_num_wrap(frame_num, sps_.MaxFrameNum());
    ReferenceMarking::Picture p;
    p.decode_index = next_++;
    p.first_field_decode_index = first_field;
    marking_.mark(sps_, h, p);
  }

  Sps sps_;  // MaxFrameNum 16
  ReferenceMarking marking_;
  std::int64_t next_ = 0;
};

TEST(ReferenceMarking, SlidingWindowDropsTheSmallestFrameNumWrap) {
  Marker m(3);
  m.idr(false);
  for (int i = 1; i < 4; ++i) m.frame(i);
  EXPECT_EQ(m.state(), "1:ss 2:ss 3:ss");
  for (int i = 4; i < 15; ++i) m.frame(i);
  m.frame(15);
  m.frame(0);
  EXPECT_EQ(m.state(), "14:ss 15:ss 0:ss");
  m.frame(1);  // 14 counts as -2, 15 as -1
  EXPECT_EQ(m.state(), "15:ss 0:ss 1:ss");
}

TEST(ReferenceMarking, WindowOfNoneHoldsOne) {
  Marker m(0);
  m.idr(false);
  m.frame(1);
  EXPECT_EQ(m.state(), "1:ss");
}

TEST(ReferenceMarking, LongTermFramesStayOutOfTheWindow) {
  Marker m(3);
  m.idr(true);
  EXPECT_EQ(m.state(), "0:ll0");
  for (int i = 1; i < 5; ++i) m.frame(i);
  EXPECT_EQ(m.state(), "0:ll0 3:ss 4:ss");
}

TEST(ReferenceMarking, OperationsOnFrames) {
  Marker m(4);
  m.idr(false);
  m.frame(1);
  m.frame(2);
  m.frame(3, {mmco(1, 1)});  // picNumX = 3 - 2 = 1
  EXPECT_EQ(m.state(), "0:ss 2:ss 3:ss");
  m.frame(4, {mmco(4, 2), mmco(3, 3, 1)});  // picNumX 0 becomes long-term frame 1
  EXPECT_EQ(m.state(), "0:ll1 2:ss 3:ss 4:ss");
  m.frame(5, {mmco(3, 1, 1)});  // picNumX 3 takes index 1 over
  EXPECT_EQ(m.state(), "2:ss 3:ll1 4:ss 5:ss");
  m.frame(6, {mmco(2, 1)});
  EXPECT_EQ(m.state(), "2:ss 4:ss 5:ss 6:ss");
  m.frame(7, {mmco(1, 4), mmco(6, 0)});
  EXPECT_EQ(m.state(), "4:ss 5:ss 6:ss 7:ll0");
  m.frame(8, {mmco(1, 3), mmco(3, 2, 3)});  // 4 goes, 5 becomes long-term frame 3
  EXPECT_EQ(m.state(), "5:ll3 6:ss 7:ll0 8:ss");
  m.frame(9, {mmco(4, 1)});  // indices above 0 go
  EXPECT_EQ(m.state(), "6:ss 7:ll0 8:ss 9:ss");
  m.frame(10, {mmco(4, 0), mmco(1, 0)});
  EXPECT_EQ(m.state(), "6:ss 8:ss 10:ss");
  m.frame(11, {mmco(5)});
  EXPECT_EQ(m.state(), "0:ss");  // its own frame_num counts as 0 from here
  m.frame(1, {mmco(5), mmco(6, 2)});
  EXPECT_EQ(m.state(), "0:ll2");
}

TEST(ReferenceMarking, SecondFieldJoinsTheFirst) {
  Marker m(2);
  m.idr(false);
  m.first(1, kTopField);
  EXPECT_EQ(m.state(), "0:ss 1:s-");
  m.second(1, kBottomField);
  EXPECT_EQ(m.state(), "0:ss 1:ss");
  EXPECT_EQ(m.frames()[1].decode_index[0], 1);
  EXPECT_EQ(m.frames()[1].decode_index[1], 2);
  EXPECT_FALSE(m.frames()[1].is_coded_frame());
  EXPECT_TRUE(m.frames()[0].is_coded_frame());
  m.first(2, kBottomField);  // the window slides with the first field only
  EXPECT_EQ(m.state(), "1:ss 2:-s");
  m.second(2, kTopField);
  EXPECT_EQ(m.state(), "1:ss 2:ss");
  m.first(3, kTopField);  // left alone
  m.first(4, kTopField);
  EXPECT_EQ(m.state(), "3:s- 4:s-");
}

TEST(ReferenceMarking, OperationsOnFields) {
  Marker m(4);
  m.idr(false);
  m.frame(1);
  m.frame(2);
  // Top field, CurrPicNum 7. Same parity of frame 1: PicNum 3; other parity: 2.
  m.first(3, kTopField, {mmco(1, 7 - 2 - 1)});
  EXPECT_EQ(m.state(), "0:ss 1:s- 2:ss 3:s-");
  // Bottom field: PicNum of its own first field is 2 * 3; bottom fields are the odd ones.
  m.second(3, kBottomField, {mmco(1, 7 - 6 - 1), mmco(1, 7 - 5 - 1)});
  EXPECT_EQ(m.state(), "0:ss 1:s- 2:s- 3:-s");
}

TEST(ReferenceMarking, LongTermFieldsShareAnIndex) {
  Marker m(4);
  m.idr(false);
  m.frame(1);
  m.frame(2);
  m.first(3, kTopField, {mmco(4, 2), mmco(3, 7 - 3 - 1, 1)});  // top field of frame 1
  EXPECT_EQ(m.state(), "0:ss 1:ls1 2:ss 3:s-");
  m.second(3, kBottomField, {mmco(3, 7 - 3 - 1, 1)});  // its bottom field: the index stays
  EXPECT_EQ(m.state(), "0:ss 1:ll1 2:ss 3:ss");
  m.first(4, kTopField, {mmco(1, 9 - 1 - 1), mmco(1, 9 - 0 - 1), mmco(3, 9 - 5 - 1, 1)});
  EXPECT_EQ(m.state(), "2:ls1 3:ss 4:s-");  // top field of frame 2 takes index 1 from frame 1
  m.second(4, kBottomField, {mmco(2, 2)});  // LongTermPicNum 2 * 1: the opposite parity, top
  EXPECT_EQ(m.state(), "2:-s 3:ss 4:ss");
}

TEST(ReferenceMarking, BothFieldsBecomeLongTerm) {
  Marker m(3);
  m.idr(false);
  m.frame(1, {mmco(4, 2), mmco(6, 1)});
  m.first(2, kBottomField, {mmco(6, 0)});
  EXPECT_EQ(m.state(), "0:ss 1:ll1 2:-l0");
  m.second(2, kTopField, {mmco(6, 0)});
  EXPECT_EQ(m.state(), "0:ss 1:ll1 2:ll0");
  m.first(3, kTopField, {mmco(1, 7 - 1 - 1), mmco(1, 7 - 0 - 1), mmco(6, 1)});
  EXPECT_EQ(m.state(), "2:ll0 3:l-1");  // the index moved from frame 1
}

TEST(ReferenceMarking, InferredFramesSlideTheWindow) {
  Marker m(3);
  m.idr(false);
  m.frame(1);
  m.frame(2);
  m.missing(3);
  m.missing(4);
  EXPECT_EQ(m.state(), "2:ss 3:ss? 4:ss?");
  EXPECT_EQ(m.frames()[1].decode_index[0], -1);
  m.frame(5);
  EXPECT_EQ(m.state(), "3:ss? 4:ss? 5:ss");
}

TEST(ReferenceMarking, CommandsCannotOverfillOrMissFatally) {
  Marker m(2);
  m.idr(false);
  // Commands without effect keep everything: more than declared, so the oldest goes.
  m.frame(1, {mmco(1, 9), mmco(2, 0xffffffffu), mmco(3, 15, 3), mmco(4, 16)});
  m.frame(2, {mmco(1, 9)});
  EXPECT_EQ(m.state(), "1:ss 2:ss");
  m.frame(3, {mmco(6, 0)});
  m.frame(4, {mmco(6, 1)});
  EXPECT_EQ(m.state(), "3:ll0 4:ll1");
  m.frame(5, {mmco(4, 16)});
  EXPECT_EQ(m.frames().size(), 2u);
}

}  // namespace
}  // namespace cope::h264
