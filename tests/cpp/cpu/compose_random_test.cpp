// Windows over random pictures, beside the definition of composition (compose.h) cell by cell in
// double precision. D and R are sums of a few float32 terms: what differs is their rounding.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "cope/cpu/compose.h"
#include "cope/cpu/residual.h"
#include "hand_picture.h"
#include "random_picture.h"

namespace {

using cope::cpu::BiPrediction;
using cope::prim::BlockType;
using cope::prim::PicturePrimitives;
using cope::prim::PictureStructure;

constexpr std::int64_t kStart = 5;  // pictures 0..4 are older, 6.. are of the window

bool is_field(const PicturePrimitives& p) { return p.info.structure != PictureStructure::kFrame; }

/// The definition, without a thought for speed.
class Oracle {
 public:
  struct Cell {
    double d[2] = {0, 0};
    double r[3] = {0, 0, 0};
    bool intra = false, lost = false, scaled = false;
  };

  Oracle(std::vector<double> seconds, BiPrediction rule)
      : seconds_(std::move(seconds)), rule_(rule) {}

  void add(const PicturePrimitives& p) {
    Lattice lattice{p.motion.width_4x4, p.motion.height_4x4, {}};
    lattice.cells.resize(p.motion.plane_size());
    // A cell is stored at row y. Field macroblocks of a pair are shown on every other row.
    for (int y = 0; y < lattice.height; ++y) {
      for (int x = 0; x < lattice.width; ++x) {
        const bool field = (p.blocks.flags[block_of(p, x, y)] & cope::prim::kFieldBlock) != 0;
        const int row = field ? y / 8 * 8 + y % 4 * 2 + y / 4 % 2 : y;
        lattice.at(x, row) = chains_of(p, x, y, row, field);
      }
    }
    add_residual(p, lattice);
    lattices_[p.info.decode_index] = lattice;
  }
  void forget(std::int64_t decode_index) { lattices_.erase(decode_index); }
  const Cell& at(std::int64_t decode_index, int x, int y) {
    return lattices_[decode_index].at(x, y);
  }

 private:
  struct Lattice {
    int width = 0, height = 0;
    std::vector<Cell> cells;
    Cell& at(int x, int y) { return cells[static_cast<std::size_t>(y * width + x)]; }
  };

  static std::size_t block_of(const PicturePrimitives& p, int x, int y) {
    const int cells = p.blocks.block_size / 4;
    return static_cast<std::size_t>(y / cells * p.blocks.width + x / cells);
  }

  Cell chains_of(const PicturePrimitives& p, int x, int y, int row, bool field) {
    const std::size_t block = block_of(p, x, y);
    const auto type = static_cast<BlockType>(p.blocks.type[block]);
    const std::size_t slice = p.blocks.slice_idx[block];
    Cell ended;
    ended.lost = type == BlockType::kLost || (p.blocks.flags[block] & cope::prim::kMotionLost) != 0;
    ended.intra = !ended.lost && type < BlockType::kInter;
    if (ended.lost || ended.intra) return ended;
    if (slice >= p.slice_refs.size()) {
      ended.lost = true;
      return ended;
    }
    std::optional<Cell> chains[2];
    double distances[2] = {INFINITY, INFINITY};
    for (int list = 0; list < 2; ++list) {
      const std::size_t i = static_cast<std::size_t>(list) * p.motion.plane_size() +
                            static_cast<std::size_t>(y * p.motion.width_4x4 + x);
      if (p.motion.ref_idx[i] < 0) continue;
      const int ref_idx = field ? p.motion.ref_idx[i] / 2 : p.motion.ref_idx[i];
      const auto& refs = p.slice_refs[slice];
      const bool is_known = ref_idx < refs.num_ref[list] && !refs.ref[list][ref_idx].is_missing;
      const std::int64_t q = is_known ? refs.ref[list][ref_idx].decode_index : -1;
      if (q >= 0) distances[list] = std::abs(time(p.info.decode_index) - time(q));
      chains[list] = chain(p, q, x, row, p.motion.mv[i].x, p.motion.mv[i].y * (field ? 2 : 1));
    }
    if (!chains[0]) return chains[1].value_or(Cell{});
    if (!chains[1] || rule_ == BiPrediction::kList0) return *chains[0];
    if (rule_ == BiPrediction::kNearest) return *chains[distances[1] < distances[0] ? 1 : 0];
    Cell mean;
    for (const auto& c : chains) {
      for (int i = 0; i < 2; ++i) mean.d[i] += c->d[i] / 2;
      for (int i = 0; i < 3; ++i) mean.r[i] += c->r[i] / 2;
      mean.intra |= c->intra;
      mean.lost |= c->lost;
      mean.scaled |= c->scaled;
    }
    return mean;
  }

  /// One vector, in quarter samples of rows of this picture, to picture q.
  Cell chain(const PicturePrimitives& p, std::int64_t q, int x, int row, int mvx, int mvy) {
    Cell c;
    const double t = time(p.info.decode_index), a = time(kStart);
    const auto found = lattices_.find(q);
    const bool is_older = q >= 0 && (q < kStart || time(q) < a) && time(q) != t;
    c.lost = q < 0 || (q != kStart && found == lattices_.end() && !is_older);
    if (c.lost) return c;
    c.scaled = q != kStart && found == lattices_.end();
    const double scale = c.scaled ? (t - a) / (t - time(q)) : 1.0;
    if (found != lattices_.end()) {
      Lattice& ref = found->second;
      const double rows = static_cast<double>(ref.height) / p.motion.height_4x4;
      const int ref_x = std::clamp(x + floor_div(mvx + 8, 16), 0, ref.width - 1);
      const int own_y = std::clamp(row + floor_div(mvy + 8, 16), 0, p.motion.height_4x4 - 1);
      c = ref.at(ref_x, static_cast<int>(own_y * rows));
      c.d[1] /= rows;
    }
    c.d[0] += mvx / 4.0 * scale;
    c.d[1] += mvy / 4.0 * scale;
    return c;
  }

  static void add_residual(const PicturePrimitives& p, Lattice& lattice) {
    std::vector<float> r[3];
    cope::cpu::ResidualScale scale[3];
    cope::cpu::Plane<float> planes[3];
    for (int i = 0; i < (p.info.chroma_format_idc == 0 ? 1 : 3); ++i) {
      scale[i] = cope::cpu::luma_grid_scale(p.info, i, 4);
      r[i].resize(lattice.cells.size());
      planes[i] = {r[i].data(), lattice.width, lattice.width, lattice.height};
    }
    cope::cpu::write_scaled_residual(p, scale, planes);
    for (int i = 0; i < 3; ++i) {
      for (std::size_t k = 0; k < r[i].size(); ++k) lattice.cells[k].r[i] += r[i][k];
    }
  }

  static int floor_div(int a, int b) {
    return static_cast<int>(std::floor(static_cast<double>(a) / b));
  }
  double time(std::int64_t decode_index) const {
    return seconds_[static_cast<std::size_t>(decode_index)];
  }

  std::vector<double> seconds_;
  BiPrediction rule_;
  std::map<std::int64_t, Lattice> lattices_;
};

/// What a picture of a random window is like.
enum class Kind { kFrame, kSmallBlocks, kMbaff, kField };

class RandomWindow {
 public:
  RandomWindow(unsigned seed, BiPrediction rule) : rng_(seed), rule_(rule) {
    format_ = seed % 4 == 3 ? 0 : uniform(1, 3);
    seconds_ = {0.1, 0.3, 0.2, 0.6, 0.4, 1.0};
    for (int i = 0; i < kNum; ++i)
      seconds_.push_back(uniform(1, 8) == 1 ? 0.8 : 1.1 + 0.1 * uniform(0, 20));
  }

  void run() {
    const HandTimes times(seconds_);
    cope::cpu::WindowComposer composer({4, 4, rule_});
    const std::int64_t start = kStart;
    composer.begin({&start, 1}, seconds_[kStart]);
    Oracle oracle(seconds_, rule_);
    std::vector<std::int64_t> live;
    for (std::int64_t i = kStart + 1; i <= kStart + kNum; ++i) {
      const auto kind = static_cast<Kind>(uniform(0, 3));
      const RandomPicture picture = make(i, kind);
      composer.add(picture.picture, times);
      oracle.add(picture.picture);
      compare(composer, oracle, picture.picture);
      if (::testing::Test::HasFailure()) {
        ADD_FAILURE() << "picture " << i << " of kind " << static_cast<int>(kind);
        return;
      }
      live.push_back(i);
      if (uniform(0, 3) == 0) {
        // The picture added last stays, and the next may refer to it.
        const auto forgotten = live.begin() + uniform(0, static_cast<int>(live.size()) - 1);
        if (*forgotten != i) oracle.forget(*forgotten);
        if (*forgotten != i) live.erase(forgotten);
        composer.retain(live);
      }
    }
  }

 private:
  static constexpr int kNum = 6;
  static constexpr int kWidthInMbs = 3, kHeightInMbs = 4;

  int uniform(int low, int high) { return std::uniform_int_distribution<int>(low, high)(rng_); }

  RandomPicture make(std::int64_t decode_index, Kind kind) {
    RandomPicture::Options options;
    options.width_in_mbs = kWidthInMbs;
    options.height_in_mbs = kind == Kind::kField ? kHeightInMbs / 2 : kHeightInMbs;
    options.chroma_format_idc = format_;
    options.mbaff = kind == Kind::kMbaff;
    options.field_picture = kind == Kind::kField;
    options.bypass = uniform(0, 3) == 0;
    options.seed = static_cast<unsigned>(rng_());
    RandomPicture random(options);
    PicturePrimitives& p = random.picture;
    p.info.decode_index = decode_index;
    p.info.slice_types = cope::prim::kHasP | cope::prim::kHasB;
    if (kind == Kind::kSmallBlocks) {
      p.blocks.block_size = 8;
      p.blocks.width *= 2;
      p.blocks.height *= 2;
      p.blocks.type.resize_uninitialized(p.blocks.size());
      p.blocks.flags.resize_uninitialized(p.blocks.size());
      p.blocks.slice_idx.resize_uninitialized(p.blocks.size());
      p.blocks.bits.resize_uninitialized(p.blocks.size());
    }
    make_references(p);
    make_blocks(p);
    make_motion(p);
    if (kind == Kind::kSmallBlocks) make_coding_units(p);
    return random;
  }

  /// H.265: half of the squares of four blocks become one coding unit.
  void make_coding_units(PicturePrimitives& p) {
    p.blocks.partition.resize_uninitialized(p.blocks.size());
    p.blocks.partition_shape.resize_uninitialized(p.blocks.size());
    std::ranges::fill(p.blocks.partition.span(), std::uint8_t{3});
    std::ranges::fill(p.blocks.partition_shape.span(), std::uint8_t{0});
    const auto blocks_width = static_cast<std::size_t>(p.blocks.width);
    const auto width = static_cast<std::size_t>(p.motion.width_4x4);
    for (std::size_t y = 0; y + 2 <= static_cast<std::size_t>(p.blocks.height); y += 2) {
      for (std::size_t x = 0; x + 2 <= blocks_width; x += 2) {
        if (uniform(0, 1) == 0) continue;
        const std::size_t first = y * blocks_width + x;
        // One in two parts says so, and may be of two motions.
        const bool is_whole = uniform(0, 3) != 0;
        for (const std::size_t i :
             {first, first + 1, first + blocks_width, first + blocks_width + 1}) {
          p.blocks.type[i] = p.blocks.type[first];
          p.blocks.flags[i] = p.blocks.flags[first];
          p.blocks.slice_idx[i] = p.blocks.slice_idx[first];
          p.blocks.partition[i] = 4;
          p.blocks.partition_shape[i] = is_whole ? 0 : 2;
        }
        for (std::size_t i = 0; i < 32 && is_whole; ++i) {
          const std::size_t list = i / 16 * p.motion.plane_size();
          const std::size_t from = list + 2 * y * width + 2 * x;
          const std::size_t to = from + i / 4 % 4 * width + i % 4;
          p.motion.mv[to] = p.motion.mv[from];
          p.motion.ref_idx[to] = p.motion.ref_idx[from];
        }
      }
    }
  }

  void make_references(PicturePrimitives& p) {
    p.slice_refs.resize(2);
    for (auto& slice : p.slice_refs) {
      for (int list = 0; list < 2; ++list) {
        slice.num_ref[list] = uniform(1, 4);
        for (int i = 0; i < slice.num_ref[list]; ++i) {
          auto& ref = slice.ref[list][i];
          // Mostly such as were added; the picture itself, which never was, is unknown.
          ref.decode_index = uniform(0, 3) == 0
                                 ? uniform(-1, static_cast<int>(p.info.decode_index))
                                 : uniform(kStart, static_cast<int>(p.info.decode_index) - 1);
          ref.is_missing = uniform(0, 9) == 0;
        }
      }
    }
  }

  void make_blocks(PicturePrimitives& p) {
    for (std::size_t i = 0; i < p.blocks.size(); ++i) {
      const int kind = uniform(0, 11);
      p.blocks.type[i] = static_cast<std::uint8_t>(kind == 0   ? BlockType::kI4x4
                                                   : kind == 1 ? BlockType::kLost
                                                   : kind < 6  ? BlockType::kSkip
                                                               : BlockType::kInter);
      p.blocks.flags[i] = kind == 2 ? cope::prim::kMotionLost : 0;
      const int column = static_cast<int>(i) % p.blocks.width,
                row = static_cast<int>(i) / p.blocks.width;
      if (p.info.mbaff && (column + row / 2) % 2 == 1) p.blocks.flags[i] |= cope::prim::kFieldBlock;
      p.blocks.slice_idx[i] = static_cast<std::uint16_t>(uniform(0, 19) == 0 ? cope::prim::kNoSlice
                                                         : 2 * i < p.blocks.size() ? 0
                                                                                   : 1);
      p.blocks.bits[i] = 0;
    }
  }

  /// Macroblocks in one, two, four or sixteen parts, of list 0, list 1, both or none.
  void make_motion(PicturePrimitives& p) {
    const auto width = static_cast<std::size_t>(p.motion.width_4x4);
    for (int y = 0; y < p.motion.height_4x4; y += 4) {
      for (int x = 0; x < p.motion.width_4x4; x += 4) {
        static constexpr int kSizes[5][2] = {{4, 4}, {4, 2}, {2, 4}, {2, 2}, {1, 1}};
        const auto& size = kSizes[uniform(0, 4)];
        for (int j = 0; j < 4; j += size[1]) {
          for (int i = 0; i < 4; i += size[0]) {
            for (int list = 0; list < 2; ++list) {
              const bool is_used = uniform(0, 2) != 0;
              const int reach = uniform(0, 3) == 0 ? 400 : 40;
              const auto ref_idx = static_cast<std::int8_t>(is_used ? uniform(0, 4) : -1);
              const cope::prim::MotionVector mv{
                  static_cast<std::int16_t>(is_used ? uniform(-reach, reach) : 0),
                  static_cast<std::int16_t>(is_used ? uniform(-reach, reach) : 0)};
              for (int k = 0; k < size[0] * size[1]; ++k) {
                const auto cell = static_cast<std::size_t>(list) * p.motion.plane_size() +
                                  static_cast<std::size_t>(y + j + k / size[0]) * width +
                                  static_cast<std::size_t>(x + i + k % size[0]);
                p.motion.ref_idx[cell] = ref_idx;
                p.motion.mv[cell] = mv;
              }
            }
          }
        }
      }
    }
  }

  void compare(const cope::cpu::WindowComposer& composer, Oracle& oracle,
               const PicturePrimitives& p) const {
    const auto& grid = composer.grid();
    const std::size_t size = grid.size();
    ASSERT_EQ(size, static_cast<std::size_t>(kWidthInMbs * kHeightInMbs * 16));
    std::vector<float> motion(2 * size), valid(size), intra(size), lost(size), scaled(size);
    std::vector<float> residual(3 * size);
    ASSERT_TRUE(composer.result(
        p.info.decode_index, {motion.data(), valid.data(), intra.data(), lost.data(), scaled.data(),
                              residual.data(), nullptr}));
    const double seconds =
        seconds_[static_cast<std::size_t>(p.info.decode_index)] - seconds_[kStart];
    for (std::size_t i = 0; i < size; ++i) {
      const int x = static_cast<int>(i) % grid.width, y = static_cast<int>(i) / grid.width;
      const Oracle::Cell& c = oracle.at(p.info.decode_index, x, is_field(p) ? y / 2 : y);
      ASSERT_EQ(intra[i], c.intra ? 1.0F : 0.0F) << x << " " << y;
      ASSERT_EQ(lost[i], c.lost ? 1.0F : 0.0F) << x << " " << y;
      ASSERT_EQ(scaled[i], c.scaled ? 1.0F : 0.0F) << x << " " << y;
      ASSERT_EQ(valid[i], c.intra || c.lost ? 0.0F : 1.0F) << x << " " << y;
      for (std::size_t axis = 0; axis < 2; ++axis) {
        const double unit = seconds * (axis == 0 ? p.info.width : p.info.height);
        const double d = valid[i] == 1.0F ? c.d[axis] : 0.0;
        ASSERT_NEAR(motion[axis * size + i] * unit, d, 1e-6 * (100 + std::abs(d))) << x << " " << y;
      }
      for (std::size_t plane = 0; plane < 3; ++plane) {
        const double r = c.r[plane];
        ASSERT_NEAR(residual[plane * size + i] * 255.0, r, 1e-6 * (1000 + std::abs(r)))
            << x << " " << y << " plane " << plane;
      }
    }
  }

  std::mt19937 rng_;
  BiPrediction rule_;
  int format_;
  std::vector<double> seconds_;
};

TEST(ComposeRandom, IsWhatItIsDefinedToBe) {
  for (const BiPrediction rule :
       {BiPrediction::kAverage, BiPrediction::kList0, BiPrediction::kNearest}) {
    for (unsigned seed = 1; seed <= 60; ++seed) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << " rule " << static_cast<int>(rule));
      RandomWindow(seed, rule).run();
      if (HasFailure()) return;
    }
  }
}

// Of a lost macroblock it is not known that it was of a field: its pair's rows are not one each.
TEST(ComposeRandom, RowsOfAPairThatIsHalfLostAreLost) {
  const HandTimes times({0.0, 1.0, 2.0});
  cope::cpu::WindowComposer composer({4, 4, BiPrediction::kAverage});
  for (std::int64_t i = 1; i <= 2; ++i) {  // the second one into the buffers of the first
    composer.begin(std::vector<std::int64_t>{0}, 0.0);
    HandPicture p(i, 1, 2);
    p.picture.info.mbaff = i == 2;
    p.refs(0, {0}).all_mv(0, 4, 0).type(0, 1, BlockType::kLost);
    p.picture.blocks.flags[0] = i == 2 ? cope::prim::kFieldBlock : 0;
    composer.add(p, times);
  }
  std::vector<float> lost(32), valid(32);
  ASSERT_TRUE(composer.result(2, {.valid = valid.data(), .lost = lost.data()}));
  for (std::size_t i = 0; i < 32; ++i) {
    const bool is_known = i / 4 == 0 || i / 4 == 2;  // rows of the top field in the upper half
    EXPECT_EQ(valid[i], is_known ? 1.0F : 0.0F) << i;
    EXPECT_EQ(lost[i], is_known ? 0.0F : 1.0F) << i;
  }
}

}  // namespace
