#include "cope/pipeline/window_source.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

namespace cope::pipeline {
namespace {

// Parsed pictures kept because a later window contains them too; others are parsed again.
constexpr std::ptrdiff_t kMaxKeptPictures = 32;

}  // namespace

WindowSource::WindowSource(std::unique_ptr<HeaderSource> headers, const ReadOptions& options,
                           const WindowOptions& window_options)
    : options_(options),
      window_options_(window_options),
      planner_(window_options.density),
      composers_({.cell = window_options.cell, .residual_scale = window_options.residual_scale}),
      crew_(resolve_threads(options.threads)),
      headers_(std::move(headers), crew_, options.on_error == OnError::kRaise),
      queue_(std::make_unique<ParseQueue>(headers_.headers().codec(), crew_,
                                          headers_.headers().limits().max_pictures_in_flight)) {}

std::unique_ptr<HeaderSource> WindowSource::release() {
  queue_.reset();
  return headers_.release();
}

ReadStats WindowSource::stats() const {
  ReadStats stats = stats_;
  add_counts(headers_.counts(), stats);
  return stats;
}

Result<std::unique_ptr<WindowItem>> WindowSource::next(const Poll& poll) {
  if (is_interrupted_) return Status{StatusCode::kCancelled};
  is_interrupted_ = true;
  auto item = next_item(poll);  // may throw
  is_interrupted_ = false;
  return item;
}

Result<std::unique_ptr<WindowItem>> WindowSource::next_item(const Poll& poll) {
  // Alone, one item after the other. With helpers so many are under way that none is short of work
  // although the pictures of a window are composed one after the other.
  for (;;) {
    const std::size_t max_pending =
        crew_.num_threads() == 1 ? 1 : 2 * static_cast<std::size_t>(crew_.fair_share());
    // What is ready does not wait for the source, or for a place in the queue.
    const bool is_ready = !pending_.empty() && pending_.front().is_done();
    const bool may_prepare = !is_ready || (headers_.has_next() && !is_crowded());
    if (end_.ok() && may_prepare && pending_.size() < max_pending) {
      const Status status = prepare(poll);
      if (end_.ok()) end_ = status;
      continue;
    }
    // What precedes an error is handed out before it.
    if (!pending_.empty() && pending_.front().window &&
        pending_.front().window.get() == failed_window_)
      is_over_ = true;
    if (is_over_ || pending_.empty()) return end_;
    auto item = take_pending(poll);
    if (!item.ok()) {
      end_ = item.status();
      is_over_ = true;
    }
    if (!item.ok() || item.value() != nullptr) return item;
  }
}

// One step of the plan, or the next picture when the plan has none.
Status WindowSource::prepare(const Poll& poll) {
  PlanStep step;
  if (planner_.pop(step)) return take_step(step, poll);
  if (!end_of_stream_.ok()) return end_of_stream_;
  const Status status = read_one(poll);
  if (status.code != StatusCode::kEndOfStream) return status;
  end_of_stream_ = status;
  planner_.finish();
  return {};
}

Status WindowSource::take_step(const PlanStep& step, const Poll& poll) {
  Status status;
  if (step.kind == PlanStep::Kind::kDelta) {
    status = gather_window(step, poll);
  } else if (window_options_.decode_keyframes) {
    status = start_keyframe(step);
  }
  drop_finished();
  return status;
}

Result<std::unique_ptr<WindowItem>> WindowSource::take_pending(const Poll& poll) {
  COPE_RETURN_IF_ERROR(finish_first_pending(poll));
  if (pending_.front().keyframe) {
    KeyframeTask& task = *free_keyframes_.emplace_back(std::move(pending_.front().keyframe));
    pending_.pop_front();
    return take_keyframe(task);
  }
  WindowTask& window = *free_windows_.emplace_back(std::move(pending_.front().window));
  pending_.pop_front();
  stats_.seconds_compose += window.seconds();
  return window.take();
}

// Waits for what leaves next, and meanwhile hands to the other windows what is parsed.
Status WindowSource::finish_first_pending(const Poll& poll) {
  const auto can_settle = [this] {
    if (running_.empty()) return false;
    const Running& first = running_.front();
    if (first.is_end) return true;
    return (!first.is_queued || queue_->has_parsed()) && backlog() < max_backlog();
  };
  while (!pending_.front().is_done()) {
    if (can_settle()) {
      COPE_RETURN_IF_ERROR(settle_first(poll));
    } else {
      wait(poll, [this, &can_settle] { return pending_.front().is_done() || can_settle(); });
    }
  }
  return {};
}

Result<std::unique_ptr<WindowItem>> WindowSource::take_keyframe(KeyframeTask& task) {
  stats_.seconds_decode += task.seconds();
  const Status& status = task.status();
  if (!status.ok() && status.code != StatusCode::kInvalidBitstream) return status;
  if (!status.ok() || task.image().is_damaged) {
    const Status error =
        status.ok() ? Status::invalid("keyframe", "libavcodec reports damage") : status;
    if (options_.on_error == OnError::kRaise) return error;
    if (stats_.first_error.ok()) stats_.first_error = error;
    if (!status.ok() || options_.on_error == OnError::kSkip) {
      ++stats_.num_skipped;
      return std::unique_ptr<WindowItem>();
    }
    ++stats_.num_concealed_pictures;
  }
  ++stats_.num_decoded;
  auto item = std::make_unique<WindowItem>();
  item->step = task.step();
  item->image = std::move(task.image());
  return item;
}

Status WindowSource::read_one(const Poll& poll) {
  COPE_RETURN_IF_ERROR(headers_.next(next_, poll));
  COPE_RETURN_IF_ERROR(next_.unit->check_supported());
  add_waiting();
  if (window_options_.density.deltas_per_second <= 0.0) drop_finished();
  return waiting_bytes_ > window_options_.max_waiting_bytes ? compose_early(poll) : Status{};
}

void WindowSource::add_waiting() {
  const prim::PictureInfo& info = next_.unit->info();
  timeline_.push(info.decode_index, next_.seconds);
  Waiting waiting;
  waiting.decode_index = info.decode_index;
  waiting.frame_decode_index = info.decode_index;
  if (info.is_second_field && !waiting_.empty()) {
    waiting.frame_decode_index = waiting_.back().frame_decode_index;
  } else {
    planner_.push({info.decode_index, next_.seconds, info.is_reference, info.is_random_access,
                   info.starts_sequence, next_.is_discard});
  }
  // Nothing depends on a picture that is neither.
  const bool has_windows = window_options_.density.deltas_per_second > 0.0;
  if (!next_.packet && !(info.is_reference && has_windows)) return;
  if (free_links_.empty()) {
    waiting.links = std::make_unique<Links>();
  } else {
    waiting.links = std::move(free_links_.back());
    free_links_.pop_back();
  }
  Links& links = *waiting.links;
  links.references.clear();
  links.collocated.clear();
  next_.unit->append_references(links.references);
  next_.unit->append_collocated(links.collocated);
  const auto live = next_.unit->live();
  links.live.assign(live.begin(), live.end());
  waiting.seconds = next_.seconds;
  waiting.packet = std::move(next_.packet);
  waiting.unit_bytes = next_.unit->size_bytes();
  waiting.unit = std::move(next_.unit);
  waiting_bytes_ += waiting.size_bytes();
  waiting_.push_back(std::move(waiting));
}

WindowSource::Waiting* WindowSource::find(std::int64_t decode_index) {
  const auto it = std::lower_bound(
      waiting_.begin(), waiting_.end(), decode_index,
      [](const Waiting& waiting, std::int64_t index) { return waiting.decode_index < index; });
  return it != waiting_.end() && it->decode_index == decode_index ? &*it : nullptr;
}

const WindowSource::Waiting* WindowSource::find_second_field(std::int64_t first) {
  const Waiting* const next = find(first + 1);
  return next != nullptr && next->frame_decode_index == first ? next : nullptr;
}

Status WindowSource::start_keyframe(const PlanStep& step) {
  const Waiting* const waiting = find(step.target);
  if (waiting == nullptr || !waiting->packet) return {};
  std::unique_ptr<KeyframeTask> task;
  if (free_keyframes_.empty()) {
    // One thread each: several keyframes, and everything else, are worked on at the same time.
    const media::StreamInfo& info = headers_.headers().info();
    auto decoder =
        media::KeyframeDecoder::open(info, {1, std::nullopt, headers_.headers().limits()});
    if (!decoder.ok()) return decoder.status();
    task = std::make_unique<KeyframeTask>(std::move(decoder).value());
  } else {
    task = std::move(free_keyframes_.back());
    free_keyframes_.pop_back();
  }
  std::array<std::shared_ptr<const media::Packet>, 2> packets{waiting->packet};
  std::size_t num_packets = 1;
  if (const Waiting* const second = find_second_field(step.target);
      second != nullptr && second->packet && second->packet != waiting->packet) {
    packets[num_packets++] = second->packet;
  }
  pending_.push_back({std::move(task), nullptr});
  pending_.back().keyframe->begin(step, {packets.data(), num_packets}, crew_);
  return {};
}

Status WindowSource::gather_window(const PlanStep& step, const Poll& poll) {
  if (!open_ || open_start_.decode_index != step.start) {
    COPE_RETURN_IF_ERROR(begin_window(step.start, step.start_seconds, poll));
  }
  select_chain(step.target);
  select_collocated();
  COPE_RETURN_IF_ERROR(run_selected(step.seconds, poll));
  Running end;
  end.window = open_.get();
  end.is_end = true;
  end.step = step;
  running_.push_back(end);
  pending_.push_back({nullptr, std::move(open_)});
  for (Waiting& waiting : waiting_) waiting.is_added = false;
  return {};
}

Status WindowSource::begin_window(std::int64_t start, double start_seconds, const Poll& poll) {
  if (open_) {  // what was gathered from another start is of no use
    COPE_RETURN_IF_ERROR(settle_all(poll));
    wait(poll, [this] { return open_->backlog() == 0; });
    for (Waiting& waiting : waiting_) waiting.is_added = false;
  }
  if (!open_ && !free_windows_.empty()) {
    open_ = std::move(free_windows_.back());
    free_windows_.pop_back();
  }
  if (!open_) {
    open_ = std::make_unique<WindowTask>(crew_, composers_);
  }
  std::array<std::int64_t, 2> fields{start, start};
  std::size_t num_fields = 1;
  if (const Waiting* const second = find_second_field(start)) {
    fields[num_fields++] = second->decode_index;
  }
  open_->begin({fields.data(), num_fields}, start_seconds);
  open_start_ = {start, start_seconds};
  return {};
}

// Marks the pictures that the target is predicted from, directly or not, up to the window's start.
// A picture decoded before the start belongs to the window only if it is shown after it.
void WindowSource::select_chain(std::int64_t target) {
  stack_.assign(1, target);
  while (!stack_.empty()) {
    Waiting* const waiting = find(stack_.back());
    stack_.pop_back();
    if (waiting == nullptr || waiting->is_in_chain || waiting->is_added) continue;
    if (waiting->frame_decode_index == open_start_.decode_index) continue;
    const bool is_older =
        waiting->decode_index < open_start_.decode_index && waiting->seconds <= open_start_.seconds;
    if (is_older) continue;
    waiting->is_in_chain = true;
    const std::vector<std::int64_t>& references = waiting->links->references;
    stack_.insert(stack_.end(), references.begin(), references.end());
  }
}

// Marks the pictures whose motion the chain's direct modes look at, as far as they are not at hand.
void WindowSource::select_collocated() {
  stack_.clear();
  const auto push_collocated = [this](const Waiting& waiting) {
    const std::vector<std::int64_t>& collocated = waiting.links->collocated;
    stack_.insert(stack_.end(), collocated.begin(), collocated.end());
  };
  for (const Waiting& waiting : waiting_) {
    if (waiting.is_in_chain) push_collocated(waiting);
  }
  while (!stack_.empty()) {
    Waiting* const waiting = find(stack_.back());
    stack_.pop_back();
    if (waiting == nullptr || waiting->is_in_chain || waiting->is_collocated) continue;
    if (waiting->picture) queue_->add_parsed(waiting->picture);
    if (queue_->knows(waiting->decode_index)) continue;
    waiting->is_collocated = true;
    push_collocated(*waiting);
  }
}

// Sends what is marked, in decoding order, to be parsed and then into the open window.
Status WindowSource::run_selected(double target_seconds, const Poll& poll) {
  for (Waiting& waiting : waiting_) {
    if (!waiting.is_in_chain && !waiting.is_collocated) continue;
    // One that is on its way to another window serves both, if it is parsed as this one wants it.
    const bool is_of_use = queue_->knows(waiting.decode_index) &&
                           (waiting.runs_with_coefficients || !waiting.is_in_chain);
    while (waiting.num_running > 0 && !is_of_use) COPE_RETURN_IF_ERROR(settle_first(poll));
    if (waiting.picture) queue_->add_parsed(waiting.picture);
    Running running;
    running.window = open_.get();
    running.decode_index = waiting.decode_index;
    running.is_in_chain = waiting.is_in_chain;
    running.target_seconds = target_seconds;
    if (!waiting.picture && waiting.num_running == 0) {
      while (is_crowded()) COPE_RETURN_IF_ERROR(settle_first(poll));
      waiting.runs_with_coefficients = waiting.is_in_chain;
      queue_->push(std::move(waiting.unit), waiting.is_in_chain);
      running.is_queued = true;
    }
    ++waiting.num_running;
    running_.push_back(running);
    waiting.is_added = waiting.is_added || waiting.is_in_chain;
    waiting.is_in_chain = false;
    waiting.is_collocated = false;
  }
  return {};
}

// Takes the picture that was sent first out of the parse queue and hands it to its window.
Status WindowSource::settle_first(const Poll& poll) {
  const Running running = running_.front();
  if (running.is_end) {
    running.window->finish(running.step, headers_.headers().info());
    running_.pop_front();
    return {};
  }
  Waiting& waiting = *find(running.decode_index);  // kept as long as it is running
  std::shared_ptr<prim::PicturePrimitives> picture = waiting.picture;
  bool keep = true;
  if (running.is_queued) {
    const auto begin = std::chrono::steady_clock::now();
    ParsedPicture parsed = queue_->pop(poll);
    stats_.seconds_parse +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    waiting.unit = std::move(parsed.unit);
    picture = std::move(parsed.picture);
    const Status status = apply_policy(parsed.damage, options_.on_error, stats_, keep);
    if (!status.ok()) {
      failed_window_ = running.window;
      end_ = status;
      return status;
    }
  }
  running_.pop_front();
  --waiting.num_running;
  if (!picture || !keep || !running.is_in_chain) return {};
  const auto num_kept = std::count_if(waiting_.begin(), waiting_.end(),
                                      [](const Waiting& w) { return w.picture != nullptr; });
  const bool is_needed_again =
      waiting.num_running > 0 ||
      (waiting.seconds > running.target_seconds && num_kept < kMaxKeptPictures);
  if (is_needed_again) waiting.picture = picture;
  compose(waiting, *running.window, std::move(picture), poll);
  return {};
}

Status WindowSource::settle_all(const Poll& poll) {
  while (!running_.empty()) COPE_RETURN_IF_ERROR(settle_first(poll));
  return {};
}

void WindowSource::compose(const Waiting& waiting, WindowTask& window,
                           std::shared_ptr<prim::PicturePrimitives> picture, const Poll& poll) {
  // Parsing must not run ahead of composing without bound: parsed pictures are large.
  wait(poll, [this] { return backlog() < max_backlog(); });
  ReferenceTimes times = timeline_.times_of(*picture);
  window.add(std::move(picture), std::move(times), waiting.links->live);
}

// Whether no more pictures should be parsed: those that wait to be composed take up as much memory
// as those in the queue.
bool WindowSource::is_crowded() const noexcept {
  return queue_->full() || (!queue_->empty() && queue_->size() + backlog() >= queue_->capacity());
}

std::size_t WindowSource::max_backlog() const noexcept {
  return crew_.num_threads() == 1 ? 1 : 4 * static_cast<std::size_t>(crew_.fair_share());
}

// Parsed pictures that wait to be composed.
std::size_t WindowSource::backlog() const noexcept {
  std::size_t sum = open_ ? open_->backlog() : 0;
  for (const Pending& pending : pending_) sum += pending.window ? pending.window->backlog() : 0;
  return sum;
}

// Makes room when a window takes more coded pictures than may wait: all but the newest are composed
// although it is not known whether the target needs them.
Status WindowSource::compose_early(const Poll& poll) {
  if (window_options_.density.has_overlap()) return Status::limit("Density.window");
  COPE_RETURN_IF_ERROR(settle_all(poll));
  planner_.decide_now();
  if (planner_.has_steps()) return {};  // they make room as well
  drop_finished();
  const auto start = planner_.open_start();
  if (!start) return {};
  if (!open_ || open_start_.decode_index != start->decode_index) {
    COPE_RETURN_IF_ERROR(begin_window(start->decode_index, start->seconds, poll));
  }
  double newest_composed = start->seconds;
  for (Waiting& waiting : waiting_) {
    // Twice, for the fields of field pairs.
    if (timeline_.end() - waiting.decode_index <= static_cast<std::int64_t>(2 * kMaxReorderFrames))
      break;
    select_chain(waiting.decode_index);
    newest_composed = std::max(newest_composed, waiting.seconds);
  }
  select_collocated();
  COPE_RETURN_IF_ERROR(run_selected(newest_composed, poll));
  COPE_RETURN_IF_ERROR(settle_all(poll));
  drop_finished();
  return {};
}

// Drops pictures that no later window can contain, unless a later one's direct modes look at them.
void WindowSource::drop_finished() {
  const Planner::Start finished = planner_.finished();
  names_.clear();
  waiting_bytes_ = 0;
  std::size_t kept = waiting_.size();
  for (std::size_t i = waiting_.size(); i-- > 0;) {
    Waiting& waiting = waiting_[i];
    const bool is_finished =
        waiting.is_added ||
        (waiting.seconds <= finished.seconds && waiting.frame_decode_index < finished.decode_index);
    if (is_finished) waiting.packet.reset();
    if (is_finished && waiting.num_running == 0 &&
        std::find(names_.begin(), names_.end(), waiting.decode_index) == names_.end()) {
      headers_.recycle(std::move(waiting.unit));
      free_links_.push_back(std::move(waiting.links));
      continue;
    }
    const std::vector<std::int64_t>& collocated = waiting.links->collocated;
    names_.insert(names_.end(), collocated.begin(), collocated.end());
    waiting_bytes_ += waiting.size_bytes();
    if (--kept != i) waiting_[kept] = std::move(waiting);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(kept));
}

}  // namespace cope::pipeline
