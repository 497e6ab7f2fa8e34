#include "cope/cpu/compose.h"

#include <algorithm>
#include <cmath>

#include "cope/cpu/compose_picture.h"
#include "cope/cpu/lattice.h"
#include "cope/cpu/saliency.h"

namespace cope::cpu {
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
  state.marks.resize_uninitialized(size);
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
  add_residual(picture, state, weight);
  accumulate_saliency(picture, grid_, weight, spent_.data(), nullptr);
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
          dx += state.values[i * kNumValues];
          dy += state.values[i * kNumValues + kDy];
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
  const CellIndex index(residual_grid_);
  for (int plane = 0; plane < 3; ++plane, out += residual_grid_.size()) {
    if (plane >= num_planes(state.info)) {
      std::fill_n(out, residual_grid_.size(), 0.0F);
      continue;
    }
    const int bit_depth = plane == 0 ? state.info.bit_depth_luma : state.info.bit_depth_chroma;
    const float unit = eight_bit_unit(bit_depth);
    const float* values = state.values.data() + kResidual + plane;
    std::size_t at = 0;
    for (std::int32_t y = 0; y < residual_grid_.height; ++y) {
      for (std::int32_t x = 0; x < residual_grid_.width; ++x, ++at) {
        float sum = 0;
        index.for_each_block(x, y, [&](std::int32_t bx, std::int32_t by) {
          const std::size_t i = static_cast<std::size_t>(by >> row_shift) *
                                    static_cast<std::size_t>(state.width_4x4) +
                                static_cast<std::size_t>(bx);
          sum += values[i * kNumValues];
        });
        out[at] = sum * unit * index.share(x, y);
      }
    }
  }
}

}  // namespace cope::cpu
