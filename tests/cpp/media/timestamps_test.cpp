#include "cope/media/timestamps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace cope::media {
namespace {

StreamInfo info_with(Rational time_base, Rational rate) {
  StreamInfo info;
  info.time_base = time_base;
  info.average_rate = rate;
  return info;
}

TEST(FrameDurationTest, IsCountedInTheTimeBase) {
  EXPECT_EQ(frame_duration(info_with({1, 90000}, {30000, 1001})), 3003);
  EXPECT_EQ(frame_duration(info_with({1, 1000}, {30, 1})), 33);
  EXPECT_EQ(frame_duration(info_with({1, 25}, {25, 1})), 1);
}

TEST(FrameDurationTest, HasADefaultAndALowerBound) {
  EXPECT_EQ(frame_duration(info_with({1, 1200000}, {0, 1})), 48000);
  EXPECT_EQ(frame_duration(info_with({1, 10}, {50, 1})), 1);
  EXPECT_EQ(frame_duration(info_with({1, 0}, {25, 1})), 1);
}

TEST(DtsRepairTest, KeepsGoodTimes) {
  DtsRepair repair(40);
  for (const std::int64_t dts : {-80, -40, 0, 40, 41, 500})
    EXPECT_EQ(repair.next(dts, kNoPts), dts);
}

TEST(DtsRepairTest, ReplacesMissingAndRepeatedTimes) {
  DtsRepair repair(40);
  EXPECT_EQ(repair.next(100, 100), 100);
  EXPECT_EQ(repair.next(kNoPts, kNoPts), 140);
  EXPECT_EQ(repair.next(140, kNoPts), 180);
  EXPECT_EQ(repair.next(20, kNoPts), 220);
  EXPECT_EQ(repair.next(1000, kNoPts), 1000);
}

TEST(DtsRepairTest, StaysBelowThePtsWhilePossible) {
  DtsRepair repair(40);
  EXPECT_EQ(repair.next(0, 0), 0);
  EXPECT_EQ(repair.next(kNoPts, 25), 25);
  EXPECT_EQ(repair.next(kNoPts, 10), 65);
}

TEST(DtsRepairTest, StartsSomewhere) {
  EXPECT_EQ(DtsRepair(40).next(kNoPts, 7), 7);
  EXPECT_EQ(DtsRepair(40).next(kNoPts, kNoPts), 0);
}

TEST(DtsRepairTest, AlwaysGrows) {
  std::mt19937 random(1);
  DtsRepair repair(3);
  std::int64_t last = repair.next(0, kNoPts);
  for (int i = 0; i < 10000; ++i) {
    const std::int64_t dts =
        random() % 5 == 0 ? kNoPts : static_cast<std::int64_t>(random() % 1000);
    const std::int64_t pts =
        random() % 2 == 0 ? kNoPts : static_cast<std::int64_t>(random() % 1000);
    const std::int64_t repaired = repair.next(dts, pts);
    ASSERT_GT(repaired, last);
    last = repaired;
  }
}

// I0 P3 B1 B2 P6 B4 B5 ... : with every decoding time known and no presentation time, frames in
// output order get times in equal steps from the first decoding time.
TEST(PresentationClockTest, OrdersDecodingTimes) {
  PresentationClock clock(40);
  std::vector<std::int64_t> times;
  for (int decoded = 0; decoded < 10; ++decoded) {
    clock.push(1000 + 40 * decoded);
    if (decoded >= 2) times.push_back(clock.pop(kNoPts));  // reordering holds two frames back
  }
  times.push_back(clock.pop(kNoPts));
  times.push_back(clock.pop(kNoPts));
  for (std::size_t i = 0; i < times.size(); ++i) {
    EXPECT_EQ(times[i], 1000 + 40 * static_cast<std::int64_t>(i));
  }
}

TEST(PresentationClockTest, BelievesPtsAndFillsHolesBetweenThem) {
  PresentationClock clock(40);
  for (int i = 0; i < 4; ++i) clock.push(40 * i);
  EXPECT_EQ(clock.pop(80), 80);
  EXPECT_EQ(clock.pop(kNoPts), 120);
  EXPECT_EQ(clock.pop(160), 160);
  EXPECT_EQ(clock.pop(kNoPts), 200);
}

TEST(PresentationClockTest, SubstitutesAreLaterThanTheFrameBefore) {
  PresentationClock clock(40);
  clock.push(0);
  clock.push(1);
  EXPECT_EQ(clock.pop(500), 500);
  EXPECT_EQ(clock.pop(kNoPts), 501);
}

TEST(PresentationClockTest, MorePopsThanPushesGoOnByOneFrame) {
  PresentationClock clock(40);
  clock.push(100);
  EXPECT_EQ(clock.pop(kNoPts), 100);
  EXPECT_EQ(clock.pop(kNoPts), 140);
  EXPECT_EQ(clock.pop(kNoPts), 180);
}

TEST(PresentationClockTest, ResetForgetsTheDelay) {
  PresentationClock clock(40);
  clock.push(0);
  EXPECT_EQ(clock.pop(80), 80);
  clock.reset();
  clock.push(0);
  EXPECT_EQ(clock.pop(kNoPts), 0);
}

}  // namespace
}  // namespace cope::media
