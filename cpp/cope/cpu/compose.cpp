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
  state.values.resize_uninitialized(kNumValues * size, true);
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

}  // namespace cope::cpu
