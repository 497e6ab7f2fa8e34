#include "cope/media/edit_list.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace cope::media {
namespace {

EditTimeline timeline(const std::vector<Edit>& edits) { return EditTimeline({1000, 90000, edits}); }

TEST(EditTimelineTest, WithoutEditsTimesStay) {
  const EditTimeline none;
  EXPECT_TRUE(none.is_identity());
  EXPECT_EQ(none.present(77).pts, 77);
  EXPECT_TRUE(none.present(77).is_shown);
  EXPECT_EQ(none.shift_dts(-5), -5);
  EXPECT_EQ(none.composition_time(77), 77);
  EXPECT_FALSE(none.duration());
}

// The usual edit list: hides the delay that B pictures bring.
TEST(EditTimelineTest, OneEditShifts) {
  const EditTimeline edits = timeline({{2000, 6000}});
  EXPECT_EQ(edits.present(6000).pts, 0);
  EXPECT_TRUE(edits.present(6000).is_shown);
  EXPECT_EQ(edits.present(3000).pts, -3000);
  EXPECT_FALSE(edits.present(3000).is_shown);
  EXPECT_TRUE(edits.present(6000 + 179999).is_shown);
  EXPECT_FALSE(edits.present(6000 + 180000).is_shown);
  EXPECT_EQ(edits.present(6000 + 180000).pts, 180000);
  EXPECT_EQ(edits.shift_dts(0), -6000);
  EXPECT_EQ(edits.duration(), 180000);
  EXPECT_EQ(edits.composition_time(0), 6000);
}

TEST(EditTimelineTest, AnEmptyEditDelays) {
  const EditTimeline edits = timeline({{500, -1}, {1000, 0}});
  EXPECT_EQ(edits.start(), 45000);
  EXPECT_EQ(edits.present(0).pts, 45000);
  EXPECT_EQ(edits.shift_dts(0), 45000);
  EXPECT_EQ(edits.duration(), 90000);
  EXPECT_EQ(edits.composition_time(45000), 0);
}

// Media [2 s, 3 s), then [0 s, 1 s), then [0.5 s, 1 s) again.
TEST(EditTimelineTest, EditsReorderAndRepeat) {
  const EditTimeline edits = timeline({{1000, 180000}, {1000, 0}, {500, 45000}});
  EXPECT_EQ(edits.present(180000).pts, 0);
  EXPECT_EQ(edits.present(0).pts, 90000);
  EXPECT_EQ(edits.present(45000).pts, 135000) << "of the first edit that shows it";
  EXPECT_FALSE(edits.present(100000).is_shown);
  EXPECT_FALSE(edits.present(300000).is_shown);
  EXPECT_EQ(edits.composition_time(0), 180000);
  EXPECT_EQ(edits.composition_time(90000), 0);
  EXPECT_EQ(edits.composition_time(180000 + 9000), 54000);
  EXPECT_EQ(edits.duration(), 225000);
}

TEST(EditTimelineTest, AnEditWithoutDurationGoesOn) {
  const EditTimeline edits = timeline({{0, 3000}});
  EXPECT_TRUE(edits.present(1LL << 40).is_shown);
  EXPECT_FALSE(edits.duration());
}

TEST(EditTimelineTest, HugeTimesDoNotOverflow) {
  const std::int64_t huge = std::int64_t{1} << 48;
  const EditTimeline edits({1, 0xffffffffu, {{huge, -1}, {huge, huge}, {huge, 0}}});
  EXPECT_TRUE(edits.present(huge).is_shown);
  EXPECT_GT(edits.present(huge).pts, 0);
}

}  // namespace
}  // namespace cope::media
