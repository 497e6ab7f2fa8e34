#include "cope/pipeline/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace cope::pipeline {
namespace {

constexpr double kAll = std::numeric_limits<double>::infinity();

/// Frames in decoding order from a text in presentation order: I (IDR), i (open GOP random access
/// point), P, B (a reference) or b. B and b frames are decoded after the next I, i or P, B before
/// b.
std::vector<PlanFrame> frames(const std::string& shown, double rate) {
  std::vector<PlanFrame> out;
  std::vector<PlanFrame> held;
  std::int64_t decode_index = 0;
  const auto emit = [&](PlanFrame frame) {
    frame.decode_index = decode_index++;
    out.push_back(frame);
  };
  const auto emit_held = [&] {
    std::stable_sort(held.begin(), held.end(), [](const PlanFrame& a, const PlanFrame& b) {
      return a.is_reference && !b.is_reference;
    });
    for (const PlanFrame& frame : held) emit(frame);
    held.clear();
  };
  for (std::size_t i = 0; i < shown.size(); ++i) {
    PlanFrame frame;
    frame.seconds = static_cast<double>(i) / rate;
    frame.is_reference = shown[i] != 'b';
    frame.starts_sequence = shown[i] == 'I';
    frame.is_random_access = shown[i] == 'I' || shown[i] == 'i';
    if (shown[i] == 'B' || shown[i] == 'b') {
      held.push_back(frame);
      continue;
    }
    if (frame.starts_sequence) emit_held();
    emit(frame);
    emit_held();
  }
  emit_held();
  return out;
}

/// "K3" for a keyframe at frame 3, "3-7" for a window from frame 3 to frame 7.
std::string run(const std::vector<PlanFrame>& input, const Density& density) {
  Planner planner(density);
  std::ostringstream text;
  const auto drain = [&] {
    PlanStep step;
    while (planner.pop(step)) {
      const auto shown_at = [&input](std::int64_t decode_index) {
        const double seconds = input[static_cast<std::size_t>(decode_index)].seconds;
        return std::count_if(input.begin(), input.end(), [seconds](const PlanFrame& frame) {
          return frame.seconds < seconds && !frame.is_discard;
        });
      };
      EXPECT_EQ(step.frame_index, shown_at(step.target));
      EXPECT_EQ(step.seconds, input[static_cast<std::size_t>(step.target)].seconds);
      if (step.kind == PlanStep::Kind::kKeyframe) {
        text << "K" << step.frame_index << " ";
      } else {
        EXPECT_EQ(step.start_seconds, input[static_cast<std::size_t>(step.start)].seconds);
        text << shown_at(step.start) << "-" << step.frame_index << " ";
      }
    }
  };
  for (const PlanFrame& frame : input) {
    planner.push(frame);
    drain();
  }
  planner.finish();
  drain();
  std::string steps = text.str();
  if (!steps.empty()) steps.pop_back();
  return steps;
}

std::string run(const std::string& shown, double rate, const Density& density) {
  return run(frames(shown, rate), density);
}

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Planner, WindowsFollowOneAnother) {
  // Three seconds at 4 per second; the last window ends with the stream.
  EXPECT_EQ(run("IPPPPPPPPPPP", 4, {0.125, 1, 0}), "K0 0-4 4-8 8-11");
}

TEST(Planner, TargetIsTheLastReferenceAtOrBeforeTheEnd) {
  EXPECT_EQ(run("IbbPbbPbbPbbP", 4, {0.125, 1, 0}), "K0 0-3 3-6 6-12");
  EXPECT_EQ(run("IbBbPbBbPbBbP", 4, {0.125, 2, 0}), "K0 0-2 2-4 4-6 6-8 8-10 10-12");
}

TEST(Planner, NothingNewNoWindow) {
  EXPECT_EQ(run("IPP", 1, {1.0 / 64, 4, 0}), "K0 0-1 1-2");
  EXPECT_EQ(run("I", 1, {1, 1, 0}), "K0");
  EXPECT_EQ(run("", 1, {1, 1, 0}), "");
}

TEST(Planner, KeyframeNearestToTheAskedTime) {
  // Random access points every 3 s, asked for every 8 s: 0, 9 (nearer to 8 than 6), 15 (nearer to
  // 16 than 18), 24.
  const std::string shown = repeat("IPP", 9);
  EXPECT_EQ(run(shown, 1, {0.125, 0, 0}), "K0 K9 K15 K24");
  // The earlier one when both are as near: 4 and 8 for 6, 16 and 20 for 18 (12 is asked for
  // itself).
  EXPECT_EQ(run(repeat("IPPP", 6), 1, {1.0 / 6, 0, 0}), "K0 K4 K12 K16");
}

TEST(Planner, SparseRandomAccessPointsServeOnce) {
  EXPECT_EQ(run("IPPPPPPPPPIPPPPPPPPP", 1, {0.5, 0, 0}), "K0 K10");
}

TEST(Planner, EveryRandomAccessPoint) {
  EXPECT_EQ(run("IPIPPI", 1, {kAll, 0, 0}), "K0 K2 K5");
  EXPECT_EQ(run("IPIPPI", 1, {0, 0, 0}), "");
}

TEST(Planner, WindowsStartAgainAtAKeyframe) {
  // The keyframe at 2.5 s: the window that ends at 3 s starts from it.
  EXPECT_EQ(run("IPPPPIPPPPPP", 2, {kAll, 1, 0}), "K0 0-2 2-4 K5 5-6 6-8 8-10 10-11");
  // A keyframe at the end of a window stands for the window too.
  EXPECT_EQ(run("IPPPIPPP", 2, {kAll, 1, 0}), "K0 0-2 K4 4-6 6-7");
}

TEST(Planner, OtherRandomAccessPointsDoNot) {
  EXPECT_EQ(run("IPPPPIPPPPPP", 2, {0.125, 1, 0}), "K0 0-2 2-4 4-6 6-8 8-10 10-11");
}

TEST(Planner, OpenGopKeyframeComesInPresentationOrder) {
  EXPECT_EQ(run("IbbPbbibbP", 3, {kAll, 1, 0}), "K0 0-3 K6 6-9");
}

TEST(Planner, OverlappingAndSpacedWindows) {
  EXPECT_EQ(run("IPPPPPPPP", 2, {0.01, 1, 2}), "K0 0-2 0-4 2-6 4-8");
  EXPECT_EQ(run("IPPPPPPPPPPPP", 4, {0.01, 1, 0.5}), "K0 2-4 6-8 10-12");
}

TEST(Planner, DiscardedFramesAreNotPresented) {
  auto input = frames("IPPPPPPP", 2);
  for (std::size_t i = 0; i < 3; ++i) input[i].is_discard = true;
  EXPECT_EQ(run(input, {kAll, 1, 0}), "0-2 2-4");
}

TEST(Planner, GapsAndWrongTimes) {
  auto input = frames("IPPPPP", 1);
  for (std::size_t i = 3; i < 6; ++i)
    input[i].seconds += 1e9;  // a jump must not make a billion windows
  Planner planner({0.125, 1, 0});
  for (const PlanFrame& frame : input) planner.push(frame);
  planner.finish();
  PlanStep step;
  int num_deltas = 0;
  while (planner.pop(step)) num_deltas += step.kind == PlanStep::Kind::kDelta;
  EXPECT_EQ(num_deltas, 5);

  // A time that goes back takes the newest one instead.
  input = frames("IPPP", 1);
  input[2].seconds = -7;
  input[2].starts_sequence = true;
  Planner other({0.125, 1, 0});
  for (const PlanFrame& frame : input) other.push(frame);
  other.finish();
  double last = 0;
  while (other.pop(step)) {
    EXPECT_GE(step.seconds, last);
    last = step.seconds;
  }
}

TEST(Planner, HoldsBackFewFrames) {
  Planner planner({0.125, 1, 0});
  const auto input = frames("I" + std::string(100, 'P'), 10);
  std::size_t num_pushed = 0;
  for (const PlanFrame& frame : input) {
    planner.push(frame);
    ++num_pushed;
    PlanStep step;
    while (planner.pop(step)) {
      EXPECT_LE(num_pushed, static_cast<std::size_t>(step.frame_index) + kMaxReorderFrames + 3);
    }
  }
}

TEST(Planner, SaysWhatIsFinished) {
  Planner planner({0.125, 1, 0});
  const auto input = frames(repeat("IbBbPbBbP", 10), 2);
  PlanStep step;
  for (const PlanFrame& frame : input) {
    planner.push(frame);
    while (planner.has_steps()) {
      const Planner::Start finished = planner.finished();
      ASSERT_TRUE(planner.pop(step));
      if (step.kind == PlanStep::Kind::kDelta) {
        EXPECT_LE(finished.seconds, step.start_seconds);
        EXPECT_LE(finished.decode_index, step.start);
      } else {
        EXPECT_LT(finished.decode_index, step.target);
      }
    }
  }
  EXPECT_GT(planner.finished().seconds, 25.0);  // of 45 s
  EXPECT_GT(planner.finished().decode_index, 50);
}

}  // namespace
}  // namespace cope::pipeline
