#include "cope/pipeline/parse_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace cope::pipeline {
namespace {

/// A picture of an imaginary codec. Marks in its primitives: qp_min parsed, qp_max derived.
struct FakeUnit final : CodedUnit {
  prim::PictureInfo picture_info;
  std::vector<std::int64_t> live_pictures;
  std::vector<std::int64_t> collocated;
  std::chrono::microseconds parse_time{0};
  std::size_t num_levels = 0;
  bool runs_out_of_memory = false;

  prim::PictureInfo& info() noexcept override { return picture_info; }
  std::span<const std::int64_t> live() const noexcept override { return live_pictures; }
  void append_references(std::vector<std::int64_t>&) const override {}
  void append_collocated(std::vector<std::int64_t>& out) const override {
    out.insert(out.end(), collocated.begin(), collocated.end());
  }
  void append_features(std::vector<const char*>&) const override {}
  CodingProfile coding_profile() const noexcept override { return {}; }
  Status check_supported() const noexcept override { return {}; }
  std::size_t size_bytes() const noexcept override { return 1; }
};

struct Counts {
  std::atomic<int> num_workers{0};
  std::atomic<int> num_missing{0};    // collocated pictures not found
  std::atomic<int> num_too_early{0};  // found, but without motion
  std::atomic<int> num_steps{0};      // of derivation, but for the last of a picture
};

class FakeWorker final : public PictureWorker {
 public:
  explicit FakeWorker(Counts& counts) : counts_(counts) { ++counts.num_workers; }

  void load(CodedUnit& unit, std::shared_ptr<prim::PicturePrimitives> out) override {
    unit_ = static_cast<FakeUnit*>(&unit);
    picture_ = std::move(out);
    picture_->info = unit_->picture_info;
  }
  void parse(bool) override {
    std::this_thread::sleep_for(unit_->parse_time);
    if (unit_->runs_out_of_memory) throw std::bad_alloc();
    picture_->info.qp_min = 1;
    picture_->coeffs.levels.resize_uninitialized(unit_->num_levels);
    picture_->coeffs.levels.set_size(unit_->num_levels);
  }
  std::int32_t derive(const prim::PicturePrimitives* (*lookup)(void*, std::int64_t), void* context,
                      std::int32_t rows) override {
    EXPECT_EQ(rows, prim::kAllRows);
    for (const std::int64_t index : unit_->collocated) {
      const prim::PicturePrimitives* const other = lookup(context, index);
      if (other == nullptr) {
        ++counts_.num_missing;
      } else if (other->info.decode_index != index || other->info.qp_max != 1) {
        ++counts_.num_too_early;
      }
    }
    picture_->info.qp_max = 1;
    return prim::kAllRows;
  }
  std::shared_ptr<prim::PicturePrimitives> release(CodedUnit&, Damage& damage) override {
    damage = {};
    return std::exchange(picture_, nullptr);
  }

 private:
  Counts& counts_;
  FakeUnit* unit_ = nullptr;
  std::shared_ptr<prim::PicturePrimitives> picture_;
};

/// Derives 64 of its 1000 rows behind each 64 of those that it looks at.
class FakeRowWorker final : public PictureWorker {
 public:
  explicit FakeRowWorker(Counts& counts) : counts_(counts) {}

  void load(CodedUnit& unit, std::shared_ptr<prim::PicturePrimitives> out) override {
    unit_ = static_cast<FakeUnit*>(&unit);
    picture_ = std::move(out);
    picture_->info = unit_->picture_info;
    num_rows_ = 0;
  }
  void parse(bool) override {
    std::this_thread::sleep_for(unit_->parse_time);
    picture_->allocate_blocks(4, kHeight, 4);
    std::fill_n(picture_->motion.ref_idx.data(), kHeight / 4, std::int8_t{-1});
  }
  bool derives_by_rows() const noexcept override { return true; }
  // A row of blocks is as deep in the chain as the deepest one that it looks at, and one deeper.
  std::int32_t derive(const prim::PicturePrimitives* (*lookup)(void*, std::int64_t), void* context,
                      std::int32_t rows) override {
    if (rows != prim::kAllRows) ++counts_.num_steps;
    for (; num_rows_ < kHeight && num_rows_ + kStep <= rows; num_rows_ += kStep) {
      std::this_thread::sleep_for(unit_->parse_time / 16);  // others are queued meanwhile
      for (std::int32_t row = num_rows_ / 4; row < (num_rows_ + kStep) / 4; ++row) {
        std::int8_t depth = 0;
        for (const std::int64_t index : unit_->collocated) {
          const prim::PicturePrimitives* const picture = lookup(context, index);
          if (picture == nullptr) {
            ++counts_.num_missing;
            continue;
          }
          const std::int8_t other = picture->motion.ref_idx[std::size_t(row)];
          if (other < 0) ++counts_.num_too_early;
          depth = std::max(depth, static_cast<std::int8_t>((other + 1) % 100));
        }
        picture_->motion.ref_idx[std::size_t(row)] = depth;
      }
    }
    picture_->info.qp_max = 1;
    return rows == prim::kAllRows ? rows : num_rows_;
  }
  std::shared_ptr<prim::PicturePrimitives> release(CodedUnit&, Damage& damage) override {
    damage = {};
    return std::exchange(picture_, nullptr);
  }

  static constexpr std::int32_t kStep = 64;
  static constexpr std::int32_t kHeight = 16 * kStep;

 private:
  Counts& counts_;
  FakeUnit* unit_ = nullptr;
  std::int32_t num_rows_ = 0;
  std::shared_ptr<prim::PicturePrimitives> picture_;
};

template <class Worker>
class FakeCodec final : public Codec {
 public:
  explicit FakeCodec(Counts& counts) : counts_(counts) {}
  std::unique_ptr<CodedUnit> make_unit() const override { return std::make_unique<FakeUnit>(); }
  std::unique_ptr<PictureWorker> make_worker() const override {
    return std::make_unique<Worker>(counts_);
  }
  Status push(const media::PacketView&) override { return {}; }
  void finish() override {}
  bool pop(CodedUnit&) override { return false; }
  std::int64_t open_packet_index() const noexcept override { return -1; }
  CodecCounts counts() const noexcept override { return {}; }

 private:
  Counts& counts_;
};

constexpr std::int32_t kMaxPictures = 64;  // in the queue

/// Picture `index` may look at the eight before it, and does at `num_collocated` of them.
std::unique_ptr<FakeUnit> make_unit(std::int64_t index, int num_collocated, std::mt19937& random) {
  auto unit = std::make_unique<FakeUnit>();
  unit->picture_info.decode_index = index;
  unit->parse_time = std::chrono::microseconds(random() % 300);
  if (random() % 16 == 0) unit->parse_time *= 10;
  for (std::int64_t i = std::max<std::int64_t>(0, index - 8); i <= index; ++i) {
    unit->live_pictures.push_back(i);
  }
  for (int i = 0; i < num_collocated && index > 0; ++i) {
    unit->collocated.push_back(
        index - 1 - random() % std::min<std::uint64_t>(8, static_cast<std::uint64_t>(index)));
  }
  return unit;
}

TEST(ParseQueue, DerivesAfterWhatIsLookedAt) {
  constexpr std::int64_t kNumPictures = 600;
  for (const int num_threads : {1, 2, 5}) {
    for (const int num_collocated : {0, 1, 3}) {
      std::mt19937 random(7);
      Counts counts;
      const FakeCodec<FakeWorker> codec(counts);
      TaskCrew crew(num_threads);
      ParseQueue queue(codec, crew, kMaxPictures);
      std::int64_t num_pushed = 0;
      for (std::int64_t i = 0; i < kNumPictures; ++i) {
        for (; num_pushed < kNumPictures && !queue.full(); ++num_pushed) {
          queue.push(make_unit(num_pushed, num_collocated, random), true);
        }
        const ParsedPicture parsed = queue.pop({});
        ASSERT_EQ(parsed.picture->info.decode_index, i);
        ASSERT_EQ(parsed.picture->info.qp_min, 1);
        ASSERT_EQ(parsed.picture->info.qp_max, 1);
        ASSERT_EQ(parsed.unit->info().decode_index, i);
      }
      EXPECT_TRUE(queue.empty());
      EXPECT_EQ(counts.num_missing, 0);
      EXPECT_EQ(counts.num_too_early, 0);
      EXPECT_LE(counts.num_workers, num_threads == 1 ? 1 : kNumPictures);
    }
  }
}

/// Reads pictures of a codec that derives by rows and checks each row of each.
void expect_rows(int num_threads, int num_collocated, std::int32_t max_pictures, Counts& counts) {
  constexpr std::int64_t kNumPictures = 200;
  std::mt19937 random(7);
  const FakeCodec<FakeRowWorker> codec(counts);
  TaskCrew crew(num_threads);
  ParseQueue queue(codec, crew, max_pictures);
  std::vector<int> depths;  // of every picture
  std::int64_t num_pushed = 0;
  for (std::int64_t i = 0; i < kNumPictures; ++i) {
    for (; num_pushed < kNumPictures && !queue.full(); ++num_pushed) {
      auto unit = make_unit(num_pushed, num_collocated, random);
      int depth = 0;
      for (const std::int64_t other : unit->collocated) {
        depth = std::max(depth, (depths[static_cast<std::size_t>(other)] + 1) % 100);
      }
      depths.push_back(depth);
      queue.push(std::move(unit), true);
    }
    const ParsedPicture parsed = queue.pop({});
    ASSERT_EQ(parsed.picture->info.decode_index, i);
    const auto& ref_idx = parsed.picture->motion.ref_idx;
    for (std::size_t row = 0; row < FakeRowWorker::kHeight / 4; ++row) {
      ASSERT_EQ(ref_idx[row], depths[static_cast<std::size_t>(i)]) << i << " row " << row;
    }
  }
  EXPECT_EQ(counts.num_missing, 0);
  EXPECT_EQ(counts.num_too_early, 0);
}

TEST(ParseQueue, DerivesBehindRowsOfWhatIsLookedAt) {
  for (const int num_threads : {1, 2, 5}) {
    // With a short queue, a picture often comes when those that it looks at are half derived.
    for (const std::int32_t max_pictures : {2, 3, kMaxPictures}) {
      for (const int num_collocated : {1, 3}) {
        Counts counts;
        expect_rows(num_threads, num_collocated, max_pictures, counts);
        EXPECT_EQ(counts.num_steps > 0, num_threads > 1);
      }
    }
  }
}

TEST(ParseQueue, LosesOnlyThePictureThatRanOutOfMemory) {
  std::mt19937 random(8);
  Counts counts;
  const FakeCodec<FakeWorker> codec(counts);
  TaskCrew crew(3);
  ParseQueue queue(codec, crew, kMaxPictures);
  std::int64_t num_pushed = 0;
  for (std::int64_t i = 0; i < 100; ++i) {
    for (; num_pushed < 100 && !queue.full(); ++num_pushed) {
      auto unit = make_unit(num_pushed, 0, random);
      if (num_pushed > 0) unit->collocated = {num_pushed - 1};
      unit->runs_out_of_memory = num_pushed % 10 == 5;
      queue.push(std::move(unit), true);
    }
    const ParsedPicture parsed = queue.pop({});
    ASSERT_EQ(parsed.unit->info().decode_index, i);
    ASSERT_EQ(parsed.picture == nullptr, i % 10 == 5);
    ASSERT_EQ(parsed.damage.first_error.code == StatusCode::kLimitExceeded, i % 10 == 5);
  }
  EXPECT_EQ(counts.num_missing, 10);  // those that look at one of the ten
  EXPECT_EQ(counts.num_too_early, 0);
}

TEST(ParseQueue, KnowsWhatComesBack) {
  std::mt19937 random(9);
  Counts counts;
  const FakeCodec<FakeWorker> codec(counts);
  TaskCrew crew(2);
  ParseQueue queue(codec, crew, kMaxPictures);
  const auto run = [&](std::unique_ptr<FakeUnit> unit) {
    queue.push(std::move(unit), true);
    return queue.pop({}).picture;
  };
  const auto first = run(make_unit(0, 0, random));
  auto unit = make_unit(1, 0, random);
  unit->live_pictures = {1};  // picture 0 is of no use any more
  run(std::move(unit));
  EXPECT_FALSE(queue.knows(0));
  EXPECT_TRUE(queue.knows(1));
  queue.add_parsed(first);
  EXPECT_TRUE(queue.knows(0));
  unit = make_unit(2, 0, random);
  unit->collocated = {0, 1, 0};
  run(std::move(unit));
  EXPECT_EQ(counts.num_missing, 0);
}

// Of the 16 pictures that two threads may have under way, each may keep a mebibyte of what a larger
// one left, or as much as it uses.
TEST(ParseQueue, PicturesDoNotKeepWhatTheLargestNeeded) {
  Counts counts;
  const FakeCodec<FakeWorker> codec(counts);
  TaskCrew crew(2);
  ParseQueue queue(codec, crew, kMaxPictures);
  std::int64_t index = 0;
  const std::int32_t* levels = nullptr;
  const auto idle_bytes_after = [&](std::size_t num_levels) {
    auto unit = std::make_unique<FakeUnit>();
    unit->picture_info.decode_index = index++;
    unit->num_levels = num_levels;
    queue.push(std::move(unit), true);
    const auto picture = queue.pop({}).picture;
    const std::int32_t* const data = picture->coeffs.levels.data();
    EXPECT_TRUE(levels == nullptr || data == levels);  // the same picture again
    levels = data;
    return picture->coeffs.levels.idle_bytes();
  };
  EXPECT_EQ(idle_bytes_after(1000000), 0u);
  EXPECT_EQ(idle_bytes_after(600000), 400000 * sizeof(std::int32_t));  // less than it uses
  EXPECT_EQ(idle_bytes_after(10000), 0u);
  EXPECT_EQ(idle_bytes_after(210000), 0u);
  EXPECT_EQ(idle_bytes_after(10000), 200000 * sizeof(std::int32_t));  // less than a mebibyte
}

TEST(ParseQueue, MayBeLeftWithPicturesThatWaitForOthers) {
  std::mt19937 random(10);
  Counts counts;
  const FakeCodec<FakeWorker> codec(counts);
  for (int i = 0; i < 20; ++i) {
    TaskCrew crew(4);
    ParseQueue queue(codec, crew, kMaxPictures);
    for (std::int64_t n = 0; !queue.full(); ++n) queue.push(make_unit(n, 2, random), true);
  }
}

}  // namespace
}  // namespace cope::pipeline
