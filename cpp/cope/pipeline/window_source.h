#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "cope/base/status.h"
#include "cope/pipeline/header_ahead.h"
#include "cope/pipeline/keyframe_task.h"
#include "cope/pipeline/parse_queue.h"
#include "cope/pipeline/picture_source.h"
#include "cope/pipeline/plan.h"
#include "cope/pipeline/timeline.h"
#include "cope/pipeline/window_task.h"

namespace cope::pipeline {

struct WindowOptions {
  Density density;
  std::int32_t cell = 16;           ///< luma samples per cell, a positive multiple of 4
  std::int32_t residual_scale = 4;  ///< luma samples per residual value, a positive multiple of 4
  bool decode_keyframes = true;     ///< false: the plan is the same, keyframes are not handed out
  /// Coded pictures that may wait for the end of their window, bytes. Beyond it pictures are
  /// composed without knowing whether the target's chain needs them.
  std::size_t max_waiting_bytes = std::size_t{256} << 20;
};

/// Reads a stream as keyframes and delta windows, in time order: parses only the reference pictures
/// that the targets depend on, decodes only the keyframes. Reading, parsing, composing and decoding
/// overlap, over as many windows as it takes to keep the threads busy. Memory does not grow with
/// the stream.
/// Not thread-safe.
class WindowSource {
 public:
  WindowSource(std::unique_ptr<HeaderSource> headers, const ReadOptions& options,
               const WindowOptions& window_options);

  /// The next keyframe or window. kEndOfStream when none is left.
  Result<std::unique_ptr<WindowItem>> next(const Poll& poll);

  ReadStats stats() const;
  /// What is being read. Pre: not released.
  const HeaderSource& headers() const noexcept { return headers_.headers(); }
  /// Gives the demuxer back for another pass; this object is of no more use.
  std::unique_ptr<HeaderSource> release();

 private:
  // What is known of a coded picture while its unit is being parsed as well. Used again.
  struct Links {
    std::vector<std::int64_t> references;
    std::vector<std::int64_t> collocated;
    std::vector<std::int64_t> live;
  };

  // A reference picture, or a random access point, that a later step may need.
  struct Waiting {
    std::unique_ptr<CodedUnit> unit;  // null while it is in the parse queue
    std::unique_ptr<Links> links;
    std::shared_ptr<const media::Packet> packet;
    std::int64_t decode_index = 0;
    std::int64_t frame_decode_index = 0;  // of the first field where this is the second
    double seconds = 0.0;
    std::size_t unit_bytes = 0;
    std::shared_ptr<prim::PicturePrimitives> picture;  // parsed already, and needed again
    std::size_t num_running = 0;                       // its entries of `running_`
    bool runs_with_coefficients = false;
    bool is_added = false;  // to the open window
    bool is_in_chain = false;
    bool is_collocated = false;  // needed for its motion alone

    std::size_t size_bytes() const noexcept {
      return unit_bytes + (packet ? packet->view().data.size() : 0);
    }
  };

  // One picture on its way into a window, or a window's end.
  struct Running {
    WindowTask* window = nullptr;
    std::int64_t decode_index = 0;
    bool is_queued = false;    // comes out of the parse queue; else it did before
    bool is_in_chain = false;  // else it is needed for its motion alone
    bool is_end = false;
    PlanStep step;                // where `is_end`
    double target_seconds = 0.0;  // pictures shown later belong to the next window too
  };

  // What leaves next.
  struct Pending {
    std::unique_ptr<KeyframeTask> keyframe;
    std::unique_ptr<WindowTask> window;

    bool is_done() const noexcept { return keyframe ? keyframe->is_done() : window->is_done(); }
  };

  template <class IsDone>
  void wait(const Poll& poll, IsDone is_done) {
    crew_.wait(is_done, [&poll] {
      if (poll) poll();
    });
  }

  Result<std::unique_ptr<WindowItem>> next_item(const Poll& poll);
  Status prepare(const Poll& poll);
  Status read_one(const Poll& poll);
  void add_waiting();
  Status take_step(const PlanStep& step, const Poll& poll);
  Status start_keyframe(const PlanStep& step);
  Status gather_window(const PlanStep& step, const Poll& poll);
  Result<std::unique_ptr<WindowItem>> take_pending(const Poll& poll);
  Status finish_first_pending(const Poll& poll);
  Result<std::unique_ptr<WindowItem>> take_keyframe(KeyframeTask& task);
  Waiting* find(std::int64_t decode_index);
  const Waiting* find_second_field(std::int64_t first);
  Status begin_window(std::int64_t start, double start_seconds, const Poll& poll);
  void select_chain(std::int64_t target);
  void select_collocated();
  Status run_selected(double target_seconds, const Poll& poll);
  Status settle_first(const Poll& poll);
  Status settle_all(const Poll& poll);
  void compose(const Waiting& waiting, WindowTask& window,
               std::shared_ptr<prim::PicturePrimitives> picture, const Poll& poll);
  bool is_crowded() const noexcept;
  std::size_t max_backlog() const noexcept;
  std::size_t backlog() const noexcept;
  Status compose_early(const Poll& poll);
  void drop_finished();

  ReadOptions options_;
  WindowOptions window_options_;
  Planner planner_;
  ComposerPool composers_;
  std::deque<Pending> pending_;       // in time order
  std::unique_ptr<WindowTask> open_;  // gathers the pictures of the present window
  Planner::Start open_start_;
  std::vector<std::unique_ptr<WindowTask>> free_windows_;
  std::vector<std::unique_ptr<KeyframeTask>> free_keyframes_;
  TaskCrew crew_;
  HeaderAhead headers_;
  std::unique_ptr<ParseQueue> queue_;  // clears the crew, so it goes before what tasks use
  std::deque<Waiting> waiting_;        // decoding order
  std::deque<Running> running_;        // window after window, each in decoding order
  std::vector<std::unique_ptr<Links>> free_links_;
  std::size_t waiting_bytes_ = 0;
  PictureTimeline timeline_;
  HeaderPicture next_;
  Status end_of_stream_;
  Status end_;                                 // why nothing more is prepared
  const WindowTask* failed_window_ = nullptr;  // `end_` is its error
  bool is_over_ = false;                       // `end_` was handed out
  bool is_interrupted_ = false;                // an exception left pictures in the queue
  ReadStats stats_;
  std::vector<std::int64_t> stack_;
  std::vector<std::int64_t> names_;
};

}  // namespace cope::pipeline
