#include "cope/pipeline/window_source.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "cope/pipeline/orient.h"

namespace cope::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

// Parsed pictures kept because a later window contains them too; others are parsed again.
constexpr std::ptrdiff_t kMaxKeptPictures = 32;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

WindowSource::WindowSource(std::unique_ptr<HeaderSource> headers, const ReadOptions& options,
                           const WindowOptions& window_options)
    : headers_(std::move(headers)),
      options_(options),
      window_options_(window_options),
      planner_(window_options.density),
      crew_(resolve_threads(options.threads)),
      queue_(std::make_unique<ParseQueue>(headers_->codec(), crew_,
                                          headers_->limits().max_pictures_in_flight)) {}

std::unique_ptr<HeaderSource> WindowSource::release() {
  queue_.reset();
  return std::move(headers_);
}

ReadStats WindowSource::stats() const {
  ReadStats stats = stats_;
  if (headers_) add_counts(headers_->counts(), stats);
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
  // With helpers, as many windows as there are threads are under way; alone, one after the other.
  const auto max_pending = static_cast<std::size_t>(crew_.num_threads());
  for (;;) {
    const bool is_ready =
        !pending_.empty() && (!pending_.front().window || pending_.front().window->is_done());
    if (!is_ready && end_.ok() && pending_.size() < max_pending) {
      end_ = prepare(poll);
      continue;
    }
    if (pending_.empty()) return end_;  // what precedes an error was handed out before it
    auto item = take_pending(poll);
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
    status = decode_keyframe(step);
  }
  drop_finished();
  return status;
}

Result<std::unique_ptr<WindowItem>> WindowSource::take_pending(const Poll& poll) {
  Pending pending = std::move(pending_.front());
  pending_.pop_front();
  if (!pending.window) return std::move(pending.keyframe);
  // Tasks look at the window until it is done, whatever happens here.
  WindowTask& window = *free_windows_.emplace_back(std::move(pending.window));
  wait(poll, [&window] { return window.is_done(); });
  stats_.seconds_compose += window.seconds();
  return window.take();
}

Status WindowSource::read_one(const Poll& poll) {
  COPE_RETURN_IF_ERROR(headers_->next(next_, options_.on_error == OnError::kRaise, poll));
  COPE_RETURN_IF_ERROR(next_.unit->check_supported());
  const prim::PictureInfo& info = next_.unit->info();

  timeline_.push(info.decode_index, next_.seconds);
  Waiting waiting;
  waiting.decode_index = info.decode_index;
  waiting.frame_decode_index = info.decode_index;
  if (info.is_second_field && !waiting_.empty()) {
    waiting.frame_decode_index = waiting_.back().frame_decode_index;
  } else {
    planner_.push({info.decode_index, next_.seconds, info.is_reference, info.is_random_access,
                   info.is_idr, next_.is_discard});
  }
  const bool has_windows = window_options_.density.deltas_per_second > 0.0;
  // Nothing depends on a picture that is neither.
  if ((info.is_reference && has_windows) || next_.packet) {
    waiting.seconds = next_.seconds;
    waiting.packet = std::move(next_.packet);
    waiting.unit = std::move(next_.unit);
    waiting_bytes_ += waiting.size_bytes();
    waiting_.push_back(std::move(waiting));
  }
  if (!has_windows) drop_finished();
  return waiting_bytes_ > window_options_.max_waiting_bytes ? compose_early(poll) : Status{};
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

Status WindowSource::decode_keyframe(const PlanStep& step) {
  const Clock::time_point begin = Clock::now();
  const Waiting* const waiting = find(step.target);
  if (waiting == nullptr || !waiting->packet) return {};
  if (!decoder_) {
    auto decoder = media::KeyframeDecoder::open(
        headers_->info(), {resolve_threads(options_.threads), std::nullopt, headers_->limits()});
    if (!decoder.ok()) return decoder.status();
    decoder_.emplace(std::move(decoder).value());
  }
  auto keyframe = std::make_unique<WindowItem>();
  keyframe->step = step;
  std::array<media::PacketView, 2> packets{waiting->packet->view()};
  std::size_t num_packets = 1;
  if (const Waiting* const second = find_second_field(step.target);
      second != nullptr && second->packet && second->packet != waiting->packet) {
    packets[num_packets++] = second->packet->view();
  }
  const Status status = decoder_->decode({packets.data(), num_packets}, 0,
                                         media::SkipPictures::kNone, keyframe->image);
  stats_.seconds_decode += seconds_since(begin);
  if (!status.ok() && status.code != StatusCode::kInvalidBitstream) return status;
  if (!status.ok() || keyframe->image.is_damaged) {
    const Status error =
        status.ok() ? Status::invalid("keyframe", "libavcodec reports damage") : status;
    if (options_.on_error == OnError::kRaise) return error;
    if (stats_.first_error.ok()) stats_.first_error = error;
    if (!status.ok() || options_.on_error == OnError::kSkip) {
      ++stats_.num_skipped;
      return {};
    }
    ++stats_.num_concealed_pictures;
  }
  ++stats_.num_decoded;
  pending_.push_back({std::move(keyframe), nullptr});
  return {};
}

Status WindowSource::gather_window(const PlanStep& step, const Poll& poll) {
  if (!open_ || open_start_.decode_index != step.start)
    begin_window(step.start, step.start_seconds, poll);
  select_chain(step.target);
  select_collocated();
  COPE_RETURN_IF_ERROR(run_selected(step.seconds, poll));
  open_->finish(step, headers_->info());
  pending_.push_back({nullptr, std::move(open_)});
  for (Waiting& waiting : waiting_) waiting.is_composed = false;
  return {};
}

void WindowSource::begin_window(std::int64_t start, double start_seconds, const Poll& poll) {
  if (open_) {  // what was gathered from another start is of no use
    wait(poll, [this] { return open_->backlog() == 0; });
    for (Waiting& waiting : waiting_) waiting.is_composed = false;
  }
  if (!open_ && !free_windows_.empty()) {
    open_ = std::move(free_windows_.back());
    free_windows_.pop_back();
  }
  if (!open_) {
    open_ = std::make_unique<WindowTask>(
        crew_, cpu::ComposeOptions{.cell = window_options_.cell,
                                   .residual_scale = window_options_.residual_scale});
  }
  std::array<std::int64_t, 2> fields{start, start};
  std::size_t num_fields = 1;
  if (const Waiting* const second = find_second_field(start)) {
    fields[num_fields++] = second->decode_index;
  }
  open_->begin({fields.data(), num_fields}, start_seconds);
  open_start_ = {start, start_seconds};
}

// Marks the pictures that the target is predicted from, directly or not, up to the window's start.
// A picture decoded before the start belongs to the window only if it is shown after it.
void WindowSource::select_chain(std::int64_t target) {
  stack_.assign(1, target);
  while (!stack_.empty()) {
    Waiting* const waiting = find(stack_.back());
    stack_.pop_back();
    if (waiting == nullptr || waiting->is_in_chain || waiting->is_composed) continue;
    if (waiting->frame_decode_index == open_start_.decode_index) continue;
    const bool is_older =
        waiting->decode_index < open_start_.decode_index && waiting->seconds <= open_start_.seconds;
    if (is_older) continue;
    waiting->is_in_chain = true;
    waiting->unit->append_references(stack_);
  }
}

// Marks the pictures whose motion the chain's direct modes look at, as far as they are not at hand.
void WindowSource::select_collocated() {
  stack_.clear();
  for (const Waiting& waiting : waiting_) {
    if (waiting.is_in_chain) waiting.unit->append_collocated(stack_);
  }
  while (!stack_.empty()) {
    Waiting* const waiting = find(stack_.back());
    stack_.pop_back();
    if (waiting == nullptr || waiting->is_in_chain || waiting->is_collocated) continue;
    if (waiting->picture || store_.find(waiting->decode_index) != nullptr) continue;
    waiting->is_collocated = true;
    waiting->unit->append_collocated(stack_);
  }
}

// Parses what is marked, in decoding order, and composes the chain's part of it. Pictures shown
// after `target_seconds` belong to the next window too.
Status WindowSource::run_selected(double target_seconds, const Poll& poll) {
  std::deque<Waiting*> running;
  auto it = waiting_.begin();
  Status status;
  for (;;) {
    for (; it != waiting_.end() && !queue_->full(); ++it) {
      if (!it->is_in_chain && !it->is_collocated) continue;
      if (!it->picture) queue_->push(std::move(it->unit), it->is_in_chain);
      running.push_back(&*it);
    }
    if (running.empty()) return status;

    Waiting& waiting = *running.front();
    running.pop_front();
    std::shared_ptr<prim::PicturePrimitives> picture = waiting.picture;
    bool keep = true;
    if (!picture) {
      const Clock::time_point begin = Clock::now();
      ParsedPicture parsed = queue_->pop(store_, poll);
      stats_.seconds_parse += seconds_since(begin);
      waiting.unit = std::move(parsed.unit);
      picture = std::move(parsed.picture);
      const Status policy = apply_policy(parsed.damage, options_.on_error, stats_, keep);
      if (status.ok()) status = policy;
    }
    if (picture && status.ok()) {
      const auto num_kept = std::count_if(waiting_.begin(), waiting_.end(),
                                          [](const Waiting& w) { return w.picture != nullptr; });
      const bool is_needed_again = waiting.is_in_chain && keep &&
                                   waiting.seconds > target_seconds && num_kept < kMaxKeptPictures;
      if (is_needed_again) waiting.picture = picture;
      if (waiting.is_in_chain && keep) compose(waiting, picture, poll);
      store_.add(std::move(picture));
      store_.retain(waiting.unit->live());
    }
    waiting.is_in_chain = false;
    waiting.is_collocated = false;
  }
}

void WindowSource::compose(Waiting& waiting, std::shared_ptr<prim::PicturePrimitives> picture,
                           const Poll& poll) {
  // Parsing must not run ahead of composing without bound: parsed pictures are large.
  const auto max_backlog = 2 * static_cast<std::size_t>(crew_.num_threads());
  wait(poll, [this, max_backlog] { return backlog() < max_backlog; });
  ReferenceTimes times = timeline_.times_of(*picture);
  open_->add(std::move(picture), std::move(times), waiting.unit->live());
  waiting.is_composed = true;
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
  planner_.decide_now();
  if (planner_.has_steps()) return {};  // they make room as well
  drop_finished();
  const auto start = planner_.open_start();
  if (!start) return {};
  if (!open_ || open_start_.decode_index != start->decode_index) {
    begin_window(start->decode_index, start->seconds, poll);
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
        waiting.is_composed ||
        (waiting.seconds <= finished.seconds && waiting.frame_decode_index < finished.decode_index);
    if (is_finished) waiting.packet.reset();
    if (is_finished &&
        std::find(names_.begin(), names_.end(), waiting.decode_index) == names_.end()) {
      headers_->recycle(std::move(waiting.unit));
      continue;
    }
    waiting.unit->append_collocated(names_);
    waiting_bytes_ += waiting.size_bytes();
    if (--kept != i) waiting_[kept] = std::move(waiting);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(kept));
}

}  // namespace cope::pipeline
