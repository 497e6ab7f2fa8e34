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
      queue_(std::make_unique<ParseQueue>(headers_->codec(), resolve_threads(options.threads))),
      composer_({.cell = window_options.cell, .residual_scale = window_options.residual_scale}) {}

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
  for (;;) {
    PlanStep step;
    std::unique_ptr<WindowItem> item;
    is_interrupted_ = true;  // until this round is through
    if (planner_.pop(step)) {
      COPE_RETURN_IF_ERROR(take_step(step, poll, item));
    } else if (end_.ok()) {
      end_ = read_one(poll);
      if (end_.code == StatusCode::kEndOfStream) planner_.finish();
    } else {
      is_interrupted_ = false;
      return end_;
    }
    is_interrupted_ = false;
    if (item) return item;
  }
}

Status WindowSource::take_step(const PlanStep& step, const Poll& poll,
                               std::unique_ptr<WindowItem>& item) {
  Status status;
  if (step.kind == PlanStep::Kind::kDelta) {
    status = compose_window(step, poll, item);
  } else if (window_options_.decode_keyframes) {
    status = decode_keyframe(step, item);
  }
  drop_finished();
  return status;
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
    waiting_bytes_ += next_.unit->size_bytes();
    waiting.unit = std::move(next_.unit);
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

Status WindowSource::decode_keyframe(const PlanStep& step, std::unique_ptr<WindowItem>& item) {
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
  item = std::move(keyframe);
  return {};
}

Status WindowSource::compose_window(const PlanStep& step, const Poll& poll,
                                    std::unique_ptr<WindowItem>& item) {
  if (!open_window_ || open_window_->decode_index != step.start) {
    begin_window(step.start, step.start_seconds);
  }
  select_chain(step.target);
  select_collocated();
  COPE_RETURN_IF_ERROR(run_selected(step.seconds, poll));

  const Clock::time_point begin = Clock::now();
  auto window = std::make_unique<WindowItem>();
  window->step = step;
  const cpu::CellGrid& grid = composer_.grid();
  const cpu::CellGrid& residual_grid = composer_.residual_grid();
  window->height = grid.height;
  window->width = grid.width;
  window->residual_height = residual_grid.height;
  window->residual_width = residual_grid.width;
  window->motion.resize(2 * grid.size());
  window->valid.resize(grid.size());
  window->intra.resize(grid.size());
  window->lost.resize(grid.size());
  window->scaled.resize(grid.size());
  window->saliency.resize(3 * grid.size());
  window->residual.resize(3 * residual_grid.size());
  const bool is_composed = composer_.result(
      step.target,
      {window->motion.data(), window->valid.data(), window->intra.data(), window->lost.data(),
       window->scaled.data(), window->residual.data(), window->saliency.data()});
  stats_.seconds_compose += seconds_since(begin);
  open_window_.reset();
  for (Waiting& waiting : waiting_) waiting.is_composed = false;
  if (!is_composed) return {};  // the target was damaged and left out
  orient(*window, headers_->info().is_mirrored, headers_->info().rotation);
  item = std::move(window);
  return {};
}

void WindowSource::begin_window(std::int64_t start, double start_seconds) {
  std::array<std::int64_t, 2> fields{start, start};
  std::size_t num_fields = 1;
  if (const Waiting* const second = find_second_field(start)) {
    fields[num_fields++] = second->decode_index;
  }
  composer_.begin({fields.data(), num_fields}, start_seconds);
  open_window_ = Planner::Start{start, start_seconds};
}

// Marks the pictures that the target is predicted from, directly or not, up to the window's start.
// A picture decoded before the start belongs to the window only if it is shown after it.
void WindowSource::select_chain(std::int64_t target) {
  stack_.assign(1, target);
  while (!stack_.empty()) {
    Waiting* const waiting = find(stack_.back());
    stack_.pop_back();
    if (waiting == nullptr || waiting->is_in_chain || waiting->is_composed) continue;
    if (waiting->frame_decode_index == open_window_->decode_index) continue;
    const bool is_older = waiting->decode_index < open_window_->decode_index &&
                          waiting->seconds <= open_window_->seconds;
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
      if (waiting.is_in_chain && keep) compose(waiting, *picture);
      store_.add(std::move(picture));
      store_.retain(waiting.unit->live());
    }
    waiting.is_in_chain = false;
    waiting.is_collocated = false;
  }
}

void WindowSource::compose(Waiting& waiting, const prim::PicturePrimitives& picture) {
  const Clock::time_point begin = Clock::now();
  composer_.add(picture, timeline_.times());
  composer_.retain(waiting.unit->live());
  waiting.is_composed = true;
  stats_.seconds_compose += seconds_since(begin);
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
  if (!open_window_ || open_window_->decode_index != start->decode_index) {
    begin_window(start->decode_index, start->seconds);
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
    waiting_bytes_ += waiting.unit->size_bytes();
    if (--kept != i) waiting_[kept] = std::move(waiting);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(kept));
}

}  // namespace cope::pipeline
