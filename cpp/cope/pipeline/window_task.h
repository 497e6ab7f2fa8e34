#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "cope/base/buffer.h"
#include "cope/base/status.h"
#include "cope/base/task_crew.h"
#include "cope/cpu/compose.h"
#include "cope/media/demuxer.h"
#include "cope/media/keyframe_decoder.h"
#include "cope/pipeline/plan.h"
#include "cope/pipeline/timeline.h"
#include "cope/prim/picture_primitives.h"

namespace cope::pipeline {

/// The fields of one delta window, or one keyframe. Planes are turned as the picture is displayed.
struct WindowItem {
  PlanStep step;
  media::Image image;  ///< kKeyframe

  std::int32_t height = 0;  ///< cells; kDelta
  std::int32_t width = 0;
  std::int32_t residual_height = 0;
  std::int32_t residual_width = 0;
  Buffer<float> motion;  ///< [2][height][width], per second, in widths and heights
  Buffer<float> valid;   ///< [height][width], shares 0..1
  Buffer<float> intra;
  Buffer<float> lost;
  Buffer<float> scaled;
  Buffer<float> residual;  ///< [3][residual_height][residual_width]
  Buffer<float> saliency;  ///< [3][height][width]
};

/// Composers with their buffers, which are large, for the windows that are being composed.
/// Thread-safe.
class ComposerPool {
 public:
  explicit ComposerPool(const cpu::ComposeOptions& options) : options_(options) {}
  std::unique_ptr<cpu::WindowComposer> take();
  void give_back(std::unique_ptr<cpu::WindowComposer> composer);

 private:
  const cpu::ComposeOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<cpu::WindowComposer>> composers_;
};

/// Composes one window with the threads of a crew, picture after picture as they come. Holds a
/// composer from its first picture to its end.
///
/// All methods are the owner's; the crew is cleared before the task ends.
class WindowTask {
 public:
  /// `crew` and `composers` outlive the task.
  WindowTask(TaskCrew& crew, ComposerPool& composers) : crew_(crew), composers_(composers) {}

  /// Starts a window from a frame, or from both fields of a field pair.
  void begin(std::span<const std::int64_t> start, double seconds);

  /// One more picture of the chain. \param live  pictures that this or a later one may reference
  void add(std::shared_ptr<const prim::PicturePrimitives> picture, ReferenceTimes times,
           std::span<const std::int64_t> live);

  /// Ends the window: after the pictures added, `step.target`'s fields are written and turned for
  /// display.
  void finish(const PlanStep& step, const media::StreamInfo& info);

  /// Whether `finish` was called since `begin`.
  bool has_end() const noexcept { return has_end_; }
  bool is_done() const noexcept { return is_done_.load(std::memory_order_acquire); }
  /// Pictures added and not yet composed.
  std::size_t backlog() const noexcept { return backlog_.load(std::memory_order_acquire); }

  /// The window, null when its target was not among the pictures. Pre: `is_done()`.
  Result<std::unique_ptr<WindowItem>> take();
  /// Time spent on composing. Pre: `is_done()`.
  double seconds() const noexcept { return seconds_spent_; }

 private:
  struct Added {
    std::shared_ptr<const prim::PicturePrimitives> picture;  // null: the end of the window
    ReferenceTimes times;
    std::vector<std::int64_t> live;
  };

  void push(Added added);
  void submit();
  void run() noexcept;
  void compose(const Added& added);
  std::unique_ptr<WindowItem> make_item() const;

  TaskCrew& crew_;
  ComposerPool& composers_;
  std::unique_ptr<cpu::WindowComposer> composer_;
  std::array<std::int64_t, 2> start_{};  // decode_index; of a field pair, of both fields
  std::size_t num_start_ = 0;
  double start_seconds_ = 0.0;
  PlanStep step_;
  bool has_end_ = false;
  bool is_mirrored_ = false;
  std::int32_t rotation_ = 0;

  std::mutex mutex_;  // of the next two
  std::deque<Added> added_;
  bool is_running_ = false;  // a task of the crew is at work, or will be

  std::atomic<std::size_t> backlog_ = 0;
  std::atomic<bool> is_done_ = false;
  double seconds_spent_ = 0.0;
  bool out_of_memory_ = false;
  std::unique_ptr<WindowItem> item_;
};

}  // namespace cope::pipeline
