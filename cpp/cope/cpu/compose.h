#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "cope/base/buffer.h"
#include "cope/cpu/fields.h"
#include "cope/prim/picture_primitives.h"

namespace cope::cpu {

struct ComposeOptions {
  std::int32_t cell = 16;           ///< luma samples, a positive multiple of 4
  std::int32_t residual_scale = 4;  ///< luma samples, a positive multiple of 4
  BiPrediction bi_prediction = BiPrediction::kAverage;
};

/// Where the result of a window goes: float32 arrays of the caller, each of which may be null.
/// Masks are shares 0..1 of the 4x4 blocks of the cell.
struct WindowFields {
  float* motion =
      nullptr;             ///< [2][height][width], as of `rasterise_motion`; mean over valid blocks
  float* valid = nullptr;  ///< [height][width]: neither intra nor lost
  float* intra = nullptr;  ///< [height][width]: the chain met an intra block
  float* lost = nullptr;   ///< [height][width]: the chain met a lost block or an unknown reference
  float* scaled = nullptr;    ///< [height][width]: the chain passed the window's start
  float* residual = nullptr;  ///< [3][residual height][residual width], Y, Cb, Cr on one grid,
                              ///< samples of 8 bits / 255
  float* saliency = nullptr;  ///< [3][height][width], as of `write_saliency`; see
                              ///< `WindowComposer::result`
};

/// Composes displacement and residual of a picture F(t) relative to a picture F(a) along the
/// reference graph.
///
/// With a the window's start: D_a = 0, R_a = 0, and for every picture added, in decoding order,
/// D_t(x) = v + D_ref(x + v) and R_t(x) = r_t(x) + R_ref(x + v), on the lattice of 4x4 luma blocks:
/// x is a block's centre, D_ref and R_ref are those of the block that x + v falls into, positions
/// outside the picture count as the nearest block inside.
///
/// - Both lists: by BiPrediction. An average weighs both chains the same and keeps the marks of
///   both. Weighted prediction does not enter, for it changes brightness and not place.
/// - A reference that was not added is older than the window when it was decoded or is shown before
///   F(a): the vector to it is scaled by (t - a) / (t - q), t the time of the picture it belongs to
///   and q of the reference; the chain ends there and is marked `scaled`.
/// - An intra block has D = 0 and is marked `intra`; a lost block, or one whose reference is
///   missing, was not added though of the window, or is an older one of the same time, has D = 0
///   and is marked `lost`. In both R is the block's own residual r. Marks follow the chains that
///   run into them.
/// - Fields: a field picture has its own lattice of half the rows. Between it and a frame, rows
///   and vertical displacements are halved or doubled. A frame that refers to a frame of two
///   fields reads the first of them.
///
/// Buffers are reused from window to window: nothing is allocated in the steady state. One thread
/// at a time.
class WindowComposer {
 public:
  explicit WindowComposer(const ComposeOptions& options);

  /// Starts a window.
  ///
  /// \param start    decode_index of the picture F(a), or of both fields of a field pair
  /// \param seconds  a, presentation time
  void begin(std::span<const std::int64_t> start, double seconds);

  /// Composes one more picture. Pictures come in decoding order; only those on the chain from start
  /// to target need come.
  ///
  /// \param times  of this picture and of its references
  void add(const prim::PicturePrimitives& picture, const PictureTimes& times);

  /// Forgets every picture that is not in `live`, as far as references go. The picture added last
  /// stays.
  void retain(std::span<const std::int64_t> live);

  /// Writes the fields of an added picture.
  ///
  /// Motion is D / (t - a): displacement towards the past per second, x in widths and y in heights
  /// of the displayed picture; not valid when t = a. Saliency is bits and residual energy averaged
  /// over the pictures added so far, at their own places, and the length of the composed motion.
  ///
  /// \returns false, and writes nothing, when `target` was not added since `begin` or was
  ///          forgotten, or when the picture size changed after it.
  [[nodiscard]] bool result(std::int64_t target, const WindowFields& out) const;

  /// Cells of motion, masks and saliency; of the picture added last.
  const CellGrid& grid() const noexcept { return grid_; }
  /// Cells of the residual; of the picture added last.
  const CellGrid& residual_grid() const noexcept { return residual_grid_; }

 private:
  /// D and R of one picture on its own 4x4 lattice.
  struct State {
    std::int64_t decode_index = -1;  ///< -1: free
    double seconds = 0;
    prim::PictureInfo info;
    std::int32_t width_4x4 = 0;
    std::int32_t height_4x4 = 0;
    /// [height_4x4][width_4x4][5]: D x, D y in luma samples, R of Y, Cb, Cr. Side by side, for a
    /// picture is too large for the cache and a plane each too many streams to be fetched ahead.
    Buffer<float> values;
    Buffer<std::uint8_t> marks;  ///< [height_4x4][width_4x4]

    std::size_t cell_at(std::int32_t x, std::int32_t y) const noexcept {
      return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_4x4) +
             static_cast<std::size_t>(x);
    }
  };
  /// What one entry of a reference list means to this window.
  struct Reference {
    enum class Kind : std::uint8_t { kLost, kStart, kOlder, kAdded };
    Kind kind = Kind::kLost;
    const State* state = nullptr;  ///< kAdded
    float scale = 1;               ///< kOlder: (t - a) / (t - q)
    std::int32_t row_shift = 0;    ///< rows of the reference per row of this picture, log2
    double distance = std::numeric_limits<double>::infinity();  ///< |t - q|, infinite when unknown
  };
  class PictureComposer;

  const State* find(std::int64_t decode_index) const noexcept;
  State& acquire(std::int64_t decode_index);
  bool is_start(std::int64_t decode_index) const noexcept;
  Reference resolve(const prim::RefPicture& ref, const State& current,
                    const PictureTimes& times) const;
  void resolve_all(const prim::PicturePrimitives& picture, const State& current,
                   const PictureTimes& times);
  void add_residual(const prim::PicturePrimitives& picture, State& state, float weight);
  void pool_motion(const State& state, const WindowFields& out) const;
  void pool_residual(const State& state, float* out) const;

  ComposeOptions options_;
  std::int64_t start_[2] = {-1, -1};
  double start_seconds_ = 0;
  std::int64_t last_added_ = -1;
  std::vector<std::unique_ptr<State>> states_;
  std::vector<Reference> references_;     ///< of the picture in work, by `list_begin_`
  std::vector<std::int32_t> list_begin_;  ///< [slice_idx * 2 + list]; one more at the end
  CellGrid grid_;
  CellGrid residual_grid_;
  Buffer<float> spent_;  ///< [2][grid_.height][grid_.width]: bits, energy; summed over pictures
  float num_spent_ = 0;  ///< pictures in `spent_`; a field counts half
};

}  // namespace cope::cpu
