#include "cope/cpu/compose.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cope/cpu/lattice.h"
#include "cope/cpu/residual.h"
#include "cope/cpu/saliency.h"

namespace cope::cpu {
namespace {

enum Mark : std::uint8_t { kMarkIntra = 1, kMarkLost = 2, kMarkScaled = 4 };

constexpr int kNumValues = 5;
constexpr int kDy = 1;  // after D x
constexpr int kResidual = 2;

int num_planes(const prim::PictureInfo& info) noexcept {
  return info.chroma_format_idc == 0 ? 1 : 3;
}

}  // namespace

/// Fills D, marks and the references' share of R of one picture, block by block.
class WindowComposer::PictureComposer {
 public:
  PictureComposer(const WindowComposer& window, const prim::PicturePrimitives& picture,
                  State& state) noexcept
      : window_(window),
        picture_(picture),
        state_(state),
        size_(static_cast<std::size_t>(state.width_4x4) *
              static_cast<std::size_t>(state.height_4x4)),
        num_values_(kResidual + num_planes(picture.info)) {}

  void compose() {
    const prim::BlockMap& blocks = picture_.blocks;
    // Blocks of 8x8 go by fours, so that what moves as one is read as one.
    const std::int32_t step = blocks.block_size == 8 ? 2 : 1;
    for (std::int32_t by = 0; by < blocks.height; by += step) {
      for (std::int32_t bx = 0; bx < blocks.width; bx += step) {
        if (step == 2 && compose_four(bx, by)) continue;
        for (std::int32_t y = by; y < std::min(by + step, blocks.height); ++y) {
          for (std::int32_t x = bx; x < std::min(bx + step, blocks.width); ++x) compose_one(x, y);
        }
      }
    }
  }

 private:
  static bool is_inter(std::uint8_t type) noexcept {
    return type == static_cast<std::uint8_t>(prim::BlockType::kInter) ||
           type == static_cast<std::uint8_t>(prim::BlockType::kSkip);
  }

  void compose_one(std::int32_t bx, std::int32_t by) {
    const prim::BlockMap& blocks = picture_.blocks;
    const std::int32_t cells = blocks.block_size / 4;
    const std::size_t block = block_at(bx, by);
    const bool mbaff_field = is_mbaff_field(picture_.info, blocks.flags[block]);
    const bool is_lost = blocks.type[block] == static_cast<std::uint8_t>(prim::BlockType::kLost) ||
                         (blocks.flags[block] & prim::kMotionLost) != 0;
    if (is_inter(blocks.type[block]) && !is_lost) {
      compose_block(block, bx, by, cells, mbaff_field);
    } else {
      mark_block(bx, by, cells, mbaff_field, is_lost ? kMarkLost : kMarkIntra);
    }
  }

  /// Four 8x8 blocks with their corner at (bx, by), if all of them are inter blocks of one slice.
  bool compose_four(std::int32_t bx, std::int32_t by) {
    const prim::BlockMap& blocks = picture_.blocks;
    if (bx + 1 >= blocks.width || by + 1 >= blocks.height) return false;
    const std::size_t first = block_at(bx, by);
    const std::uint16_t slice = blocks.slice_idx[first];
    for (const std::size_t block :
         {first, first + 1, block_at(bx, by + 1), block_at(bx + 1, by + 1)}) {
      if (!is_inter(blocks.type[block]) || blocks.slice_idx[block] != slice ||
          (blocks.flags[block] & prim::kMotionLost) != 0) {
        return false;
      }
    }
    if (!select_slice(slice)) return false;
    compose_square<4>(bx * 2, by * 2);
    return true;
  }

  std::size_t block_at(std::int32_t bx, std::int32_t by) const noexcept {
    return static_cast<std::size_t>(by) * static_cast<std::size_t>(picture_.blocks.width) +
           static_cast<std::size_t>(bx);
  }

  /// Turns to the references of a slice; false when the picture has no such slice.
  bool select_slice(std::uint16_t slice) noexcept {
    if (static_cast<std::size_t>(slice) * 2 + 2 >= window_.list_begin_.size()) return false;
    list_begin_ = window_.list_begin_.data() + static_cast<std::size_t>(slice) * 2;
    return true;
  }

  void mark_block(std::int32_t bx, std::int32_t by, std::int32_t cells, bool mbaff_field,
                  Mark mark) {
    for (std::int32_t i = 0; i < cells; ++i) {
      const std::size_t row = static_cast<std::size_t>(display_row(by, i, cells, mbaff_field));
      std::memset(state_.marks.data() + row * width() + static_cast<std::size_t>(bx * cells), mark,
                  static_cast<std::size_t>(cells));
    }
  }

  void compose_block(std::size_t block, std::int32_t bx, std::int32_t by, std::int32_t cells,
                     bool mbaff_field) {
    if (!select_slice(picture_.blocks.slice_idx[block])) {
      mark_block(bx, by, cells, mbaff_field, kMarkLost);
      return;
    }
    if (mbaff_field) {
      for (std::int32_t i = 0; i < cells; ++i) {
        for (std::int32_t j = 0; j < cells; ++j) {
          compose_field_cell(bx * cells + j, by * cells + i, display_row(by, i, cells, true));
        }
      }
      return;
    }
    if (cells == 2) {
      compose_square<2>(bx * cells, by * cells);
      return;
    }
    for (std::int32_t i = 0; i < cells; i += 4) {
      for (std::int32_t j = 0; j < cells; j += 4) compose_square<4>(bx * cells + j, by * cells + i);
    }
  }

  template <int kSize>
  void compose_cells(std::int32_t x, std::int32_t y, std::int32_t cells) {
    for (std::int32_t i = 0; i < cells; i += kSize) {
      for (std::int32_t j = 0; j < cells; j += kSize) compose_square<kSize>(x + j, y + i);
    }
  }

  /// Most macroblocks move as one, so that a square reads one square of its reference; others are
  /// quartered.
  template <int kSize>
  void compose_square(std::int32_t x, std::int32_t y) {
    if constexpr (kSize > 1) {
      if (!is_uniform<kSize>(x, y)) {
        compose_cells<kSize / 2>(x, y, kSize);
        return;
      }
    }
    const std::size_t cell = static_cast<std::size_t>(y) * width() + static_cast<std::size_t>(x);
    const prim::MotionField& motion = picture_.motion;
    Link links[2];
    const int num_links = find_links(motion.mv[cell], motion.mv[size_ + cell], motion.ref_idx[cell],
                                     motion.ref_idx[size_ + cell], links);
    for (int i = 0; i < num_links; ++i) add_square<kSize>(x, y, links[i]);
  }

  template <int kSize>
  bool is_uniform(std::int32_t x, std::int32_t y) const noexcept {
    const std::size_t first = static_cast<std::size_t>(y) * width() + static_cast<std::size_t>(x);
    const prim::MotionField& motion = picture_.motion;
    unsigned difference = 0;
    for (int list = 0; list < 2; ++list) {
      const prim::MotionVector* mv =
          motion.mv.data() + static_cast<std::size_t>(list) * size_ + first;
      const std::int8_t* ref_idx =
          motion.ref_idx.data() + static_cast<std::size_t>(list) * size_ + first;
      const prim::MotionVector mv0 = mv[0];
      const std::int8_t ref0 = ref_idx[0];
      for (int i = 0; i < kSize; ++i, mv += width(), ref_idx += width()) {
        for (int j = 0; j < kSize; ++j) {
          difference |=
              static_cast<unsigned>((mv[j].x ^ mv0.x) | (mv[j].y ^ mv0.y) | (ref_idx[j] ^ ref0));
        }
      }
    }
    return difference == 0;
  }

  const Reference* reference_at(int list, int ref_idx) const noexcept {
    static constexpr Reference kUnknown;
    const std::int32_t i = list_begin_[list] + ref_idx;
    return i < list_begin_[list + 1] ? &window_.references_[static_cast<std::size_t>(i)]
                                     : &kUnknown;
  }

  /// The one or two chains that a block continues, by the rule for blocks predicted from both
  /// lists.
  int find_links(prim::MotionVector mv0, prim::MotionVector mv1, int ref_idx0, int ref_idx1,
                 Link (&links)[2]) const noexcept {
    int n = 0;
    if (ref_idx0 >= 0) links[n++] = {reference_at(0, ref_idx0), mv0, 1.0F};
    if (ref_idx1 >= 0) links[n++] = {reference_at(1, ref_idx1), mv1, 1.0F};
    if (n < 2) return n;
    switch (window_.options_.bi_prediction) {
      case BiPrediction::kAverage:
        links[0].weight = links[1].weight = 0.5F;
        return 2;
      case BiPrediction::kNearest:
        if (links[1].reference->distance < links[0].reference->distance) links[0] = links[1];
        return 1;
      default:
        return 1;
    }
  }

  template <int kSize>
  void add_square(std::int32_t x, std::int32_t y, const Link& link) {
    const Reference& reference = *link.reference;
    const std::size_t first = static_cast<std::size_t>(y) * width() + static_cast<std::size_t>(x);
    if (reference.kind == Reference::Kind::kLost) {
      add_marks<kSize>(first, kMarkLost);
      return;
    }
    const float scale = reference.kind == Reference::Kind::kOlder ? reference.scale : 1.0F;
    const float v[2] = {static_cast<float>(link.mv.x) * 0.25F * scale * link.weight,
                        static_cast<float>(link.mv.y) * 0.25F * scale * link.weight};
    for (int axis = 0; axis < 2; ++axis) {
      float* d = values(axis) + first;
      for (int i = 0; i < kSize; ++i, d += width()) {
        for (int j = 0; j < kSize; ++j) d[j] += v[axis];
      }
    }
    if (reference.kind == Reference::Kind::kOlder) add_marks<kSize>(first, kMarkScaled);
    if (reference.kind != Reference::Kind::kAdded) return;

    // The block that the centre of block i falls into: (16 i + 8 + mv) >> 4 in quarter samples.
    const std::int32_t ref_x = x + ((link.mv.x + 8) >> 4);
    const std::int32_t ref_y = y + ((link.mv.y + 8) >> 4);
    const bool is_inside = ref_x >= 0 && ref_y >= 0 && ref_x <= state_.width_4x4 - kSize &&
                           ref_y <= state_.height_4x4 - kSize;
    if (is_inside && reference.row_shift == 0) {
      copy_square<kSize>(first, *reference.state, ref_x, ref_y, link.weight);
      return;
    }
    for (int i = 0; i < kSize; ++i) {
      for (int j = 0; j < kSize; ++j) {
        add_cell(first + static_cast<std::size_t>(i) * width() + static_cast<std::size_t>(j),
                 reference, ref_x + j, ref_y + i, link.weight);
      }
    }
  }

  template <int kSize>
  void copy_square(std::size_t first, const State& ref, std::int32_t ref_x, std::int32_t ref_y,
                   float weight) {
    const std::size_t ref_first =
        static_cast<std::size_t>(ref_y) * width() + static_cast<std::size_t>(ref_x);
    for (int value = 0; value < num_values_; ++value) {
      const float* in = ref.values.data() + static_cast<std::size_t>(value) * size_ + ref_first;
      float* out = values(value) + first;
      for (int i = 0; i < kSize; ++i, in += width(), out += width()) {
        for (int j = 0; j < kSize; ++j) out[j] += weight * in[j];
      }
    }
    const std::uint8_t* in = ref.marks.data() + ref_first;
    std::uint8_t* out = state_.marks.data() + first;
    for (int i = 0; i < kSize; ++i, in += width(), out += width()) {
      for (int j = 0; j < kSize; ++j) out[j] |= in[j];
    }
  }

  /// Adds what the reference says at (ref_x, ref_y), in rows of this picture, wherever that is.
  void add_cell(std::size_t cell, const Reference& reference, std::int32_t ref_x,
                std::int32_t ref_y, float weight) {
    const State& ref = *reference.state;
    const std::int32_t x = std::clamp(ref_x, 0, state_.width_4x4 - 1);
    const std::int32_t own_y = std::clamp(ref_y, 0, state_.height_4x4 - 1);
    const std::int32_t y = reference.row_shift > 0 ? own_y * 2 : own_y >> -reference.row_shift;
    const float rows = reference.row_shift > 0 ? 0.5F : reference.row_shift < 0 ? 2.0F : 1.0F;
    const std::size_t ref_size =
        static_cast<std::size_t>(ref.width_4x4) * static_cast<std::size_t>(ref.height_4x4);
    const std::size_t ref_cell =
        static_cast<std::size_t>(y) * width() + static_cast<std::size_t>(x);
    for (int value = 0; value < num_values_; ++value) {
      values(value)[cell] += weight * (value == kDy ? rows : 1.0F) *
                             ref.values[static_cast<std::size_t>(value) * ref_size + ref_cell];
    }
    state_.marks[cell] |= ref.marks[ref_cell];
  }

  /// One block of a field macroblock of an MBAFF frame: stored at row `y`, shown at row `row`. Its
  /// vector counts field rows and its ref_idx fields (8.4.2.1).
  void compose_field_cell(std::int32_t x, std::int32_t y, std::int32_t row) {
    const std::size_t cell = static_cast<std::size_t>(y) * width() + static_cast<std::size_t>(x);
    const prim::MotionField& motion = picture_.motion;
    Link links[2];
    const int num_links =
        find_links(motion.mv[cell], motion.mv[size_ + cell], motion.ref_idx[cell] >> 1,
                   motion.ref_idx[size_ + cell] >> 1, links);
    for (int i = 0; i < num_links; ++i) {
      links[i].mv.y = static_cast<std::int16_t>(std::clamp(links[i].mv.y * 2, -32768, 32767));
      add_square<1>(x, row, links[i]);
    }
  }

  template <int kSize>
  void add_marks(std::size_t first, Mark mark) {
    std::uint8_t* out = state_.marks.data() + first;
    for (int i = 0; i < kSize; ++i, out += width()) {
      for (int j = 0; j < kSize; ++j) out[j] |= mark;
    }
  }

  std::size_t width() const noexcept { return static_cast<std::size_t>(state_.width_4x4); }
  float* values(int value) const noexcept {
    return state_.values.data() + static_cast<std::size_t>(value) * size_;
  }

  const WindowComposer& window_;
  const prim::PicturePrimitives& picture_;
  State& state_;
  std::size_t size_;
  int num_values_;
  const std::int32_t* list_begin_ = nullptr;
};

WindowComposer::WindowComposer(const ComposeOptions& options) : options_(options) {}

void WindowComposer::begin(std::span<const std::int64_t> start, double seconds) {
  start_[0] = start.empty() ? -1 : start.front();
  start_[1] = start.size() < 2 ? -1 : start[1];
  start_seconds_ = seconds;
  last_added_ = -1;
  num_spent_ = 0;
  for (const auto& state : states_) state->decode_index = -1;
}

void WindowComposer::add(const prim::PicturePrimitives& picture, const PictureTimes& times) {
  const prim::PictureInfo& info = picture.info;
  State& state = acquire(info.decode_index);
  state.decode_index = info.decode_index;
  state.seconds = times.at(info.decode_index);
  state.info = info;
  state.width_4x4 = picture.motion.width_4x4;
  state.height_4x4 = picture.motion.height_4x4;
  const std::size_t size = picture.motion.plane_size();
  state.values.resize_uninitialized(kNumValues * size);
  state.marks.assign_zero(size);
  std::fill_n(state.values.data(), 2 * size, 0.0F);
  write_residual_values(picture, state);
  resolve_all(picture, state, times);
  PictureComposer(*this, picture, state).compose();
  last_added_ = info.decode_index;

  const CellGrid grid = make_cell_grid(info, options_.cell);
  if (num_spent_ == 0 || grid != grid_) {
    grid_ = grid;
    residual_grid_ = make_cell_grid(info, options_.residual_scale);
    spent_.assign_zero(2 * grid_.size());
    num_spent_ = 0;
  }
  const float weight = is_field_picture(info) ? 0.5F : 1.0F;
  accumulate_saliency(picture, grid_, weight, spent_.data(), spent_.data() + grid_.size());
  num_spent_ += weight;
}

void WindowComposer::retain(std::span<const std::int64_t> live) {
  for (const auto& state : states_) {
    const std::int64_t i = state->decode_index;
    if (i != last_added_ && std::find(live.begin(), live.end(), i) == live.end()) {
      state->decode_index = -1;
    }
  }
}

const WindowComposer::State* WindowComposer::find(std::int64_t decode_index) const noexcept {
  if (decode_index < 0) return nullptr;
  for (const auto& state : states_) {
    if (state->decode_index == decode_index) return state.get();
  }
  return nullptr;
}

WindowComposer::State& WindowComposer::acquire(std::int64_t decode_index) {
  State* free = nullptr;
  for (const auto& state : states_) {
    if (state->decode_index == decode_index) return *state;
    if (state->decode_index < 0) free = state.get();
  }
  if (free == nullptr) free = states_.emplace_back(std::make_unique<State>()).get();
  return *free;
}

void WindowComposer::write_residual_values(const prim::PicturePrimitives& picture, State& state) {
  const std::size_t size = picture.motion.plane_size();
  ResidualScale scale[3];
  Plane<float> planes[3];
  for (int i = 0; i < num_planes(picture.info); ++i) {
    scale[i] = luma_grid_scale(picture.info, i, 4);
    planes[i] = {state.values.data() + static_cast<std::size_t>(kResidual + i) * size,
                 state.width_4x4, state.width_4x4, state.height_4x4};
  }
  write_scaled_residual(picture, scale, planes);
}

bool WindowComposer::is_start(std::int64_t decode_index) const noexcept {
  return decode_index >= 0 && (decode_index == start_[0] || decode_index == start_[1]);
}

WindowComposer::Reference WindowComposer::resolve(const prim::RefPicture& ref, const State& current,
                                                  const PictureTimes& times) const {
  Reference reference;
  if (ref.is_missing || ref.decode_index < 0) return reference;
  const double q = is_start(ref.decode_index) ? start_seconds_ : times.at(ref.decode_index);
  const double distance = std::abs(current.seconds - q);
  if (distance >= 0) reference.distance = distance;
  if (is_start(ref.decode_index)) {
    reference.kind = Reference::Kind::kStart;
  } else if (const State* state = find(ref.decode_index); state != nullptr && state != &current) {
    // Another size, or another sampling of rows than a frame and its fields, is no reference of
    // this one.
    const std::int32_t rows = current.height_4x4, ref_rows = state->height_4x4;
    if (state->width_4x4 != current.width_4x4) return reference;
    if (ref_rows != rows && ref_rows != 2 * rows && 2 * ref_rows != rows) return reference;
    reference.kind = Reference::Kind::kAdded;
    reference.state = state;
    reference.row_shift = ref_rows == rows ? 0 : ref_rows > rows ? 1 : -1;
  } else if ((ref.decode_index < start_[0] || q < start_seconds_) && distance > 0) {
    reference.kind = Reference::Kind::kOlder;
    reference.scale =
        static_cast<float>((current.seconds - start_seconds_) / (current.seconds - q));
  }
  return reference;
}

void WindowComposer::resolve_all(const prim::PicturePrimitives& picture, const State& current,
                                 const PictureTimes& times) {
  references_.clear();
  list_begin_.clear();
  for (const prim::SliceRefs& refs : picture.slice_refs) {
    for (int list = 0; list < 2; ++list) {
      list_begin_.push_back(static_cast<std::int32_t>(references_.size()));
      for (std::int32_t i = 0; i < refs.num_ref[list]; ++i) {
        references_.push_back(resolve(refs.ref[list][i], current, times));
      }
    }
  }
  list_begin_.push_back(static_cast<std::int32_t>(references_.size()));
}

bool WindowComposer::result(std::int64_t target, const WindowFields& out) const {
  const State* state = find(target);
  if (state == nullptr || make_cell_grid(state->info, options_.cell) != grid_) return false;
  pool_motion(*state, out);
  if (out.residual != nullptr) pool_residual(*state, out.residual);
  if (out.saliency != nullptr) {
    const std::size_t size = grid_.size();
    for (std::size_t i = 0; i < size; ++i) {
      out.saliency[i] = spent_[i] / num_spent_;
      out.saliency[size + i] = std::sqrt(spent_[size + i] / num_spent_);
    }
  }
  return true;
}

void WindowComposer::pool_motion(const State& state, const WindowFields& out) const {
  const PlaneSize display = display_size(state.info);
  const float aspect = static_cast<float>(display.width) / static_cast<float>(display.height);
  const int row_shift = is_field_picture(state.info) ? 1 : 0;
  const double seconds = state.seconds - start_seconds_;
  const bool has_rate = std::abs(seconds) > 0;  // NaN where the target's time is not known
  const float rate = has_rate ? static_cast<float>(1 / seconds) : 0.0F;
  const float x_unit = rate / static_cast<float>(display.width);
  const float y_unit = rate / static_cast<float>(display.height >> row_shift);
  const std::size_t plane = state.marks.size();
  const std::size_t size = grid_.size();
  const CellIndex index(grid_);
  std::size_t at = 0;
  for (std::int32_t y = 0; y < grid_.height; ++y) {
    for (std::int32_t x = 0; x < grid_.width; ++x, ++at) {
      float dx = 0, dy = 0;
      std::int32_t valid = 0, intra = 0, lost = 0, scaled = 0;
      index.for_each_block(x, y, [&](std::int32_t bx, std::int32_t by) {
        const std::size_t i =
            static_cast<std::size_t>(by >> row_shift) * static_cast<std::size_t>(state.width_4x4) +
            static_cast<std::size_t>(bx);
        const std::uint8_t mark = state.marks[i];
        intra += (mark & kMarkIntra) != 0;
        lost += (mark & kMarkLost) != 0;
        scaled += (mark & kMarkScaled) != 0;
        if ((mark & (kMarkIntra | kMarkLost)) == 0) {
          ++valid;
          dx += state.values[i];
          dy += state.values[plane + i];
        }
      });
      if (!has_rate) valid = 0;
      const float mean = valid == 0 ? 0.0F : 1.0F / static_cast<float>(valid);
      const float share = index.share(x, y);
      dx *= mean * x_unit;
      dy *= mean * y_unit;
      if (out.motion != nullptr) {
        out.motion[at] = dx;
        out.motion[size + at] = dy;
      }
      if (out.saliency != nullptr) out.saliency[2 * size + at] = motion_length(dx, dy, aspect);
      if (out.valid != nullptr) out.valid[at] = static_cast<float>(valid) * share;
      if (out.intra != nullptr) out.intra[at] = static_cast<float>(intra) * share;
      if (out.lost != nullptr) out.lost[at] = static_cast<float>(lost) * share;
      if (out.scaled != nullptr) out.scaled[at] = static_cast<float>(scaled) * share;
    }
  }
}

void WindowComposer::pool_residual(const State& state, float* out) const {
  const int row_shift = is_field_picture(state.info) ? 1 : 0;
  const std::size_t plane_cells = state.marks.size();
  const CellIndex index(residual_grid_);
  for (int plane = 0; plane < 3; ++plane, out += residual_grid_.size()) {
    if (plane >= num_planes(state.info)) {
      std::fill_n(out, residual_grid_.size(), 0.0F);
      continue;
    }
    const int bit_depth = plane == 0 ? state.info.bit_depth_luma : state.info.bit_depth_chroma;
    const float unit = eight_bit_unit(bit_depth);
    const float* values =
        state.values.data() + static_cast<std::size_t>(kResidual + plane) * plane_cells;
    std::size_t at = 0;
    for (std::int32_t y = 0; y < residual_grid_.height; ++y) {
      for (std::int32_t x = 0; x < residual_grid_.width; ++x, ++at) {
        float sum = 0;
        index.for_each_block(x, y, [&](std::int32_t bx, std::int32_t by) {
          sum += values[static_cast<std::size_t>(by >> row_shift) *
                            static_cast<std::size_t>(state.width_4x4) +
                        static_cast<std::size_t>(bx)];
        });
        out[at] = sum * unit * index.share(x, y);
      }
    }
  }
}

}  // namespace cope::cpu
