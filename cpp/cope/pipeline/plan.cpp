#include "cope/pipeline/plan.h"

#include <algorithm>
#include <cmath>

namespace cope::pipeline {
namespace {

// Times are multiples of a time base in double: equal ones differ by rounding only.
constexpr double kSameTime = 1e-6;  // seconds

}  // namespace

Planner::Planner(const Density& density) : density_(density) {}

void Planner::push(const PlanFrame& frame) {
  if (frame.starts_sequence) {
    while (!reordering_.empty()) {
      release(reordering_.front());
      reordering_.pop_front();
    }
  }
  const auto place = std::upper_bound(
      reordering_.begin(), reordering_.end(), frame,
      [](const PlanFrame& a, const PlanFrame& b) { return a.seconds < b.seconds; });
  reordering_.insert(place, frame);
  if (reordering_.size() > kMaxReorderFrames) {
    release(reordering_.front());
    reordering_.pop_front();
  }
}

void Planner::finish() {
  while (!reordering_.empty()) {
    release(reordering_.front());
    reordering_.pop_front();
  }
  decide_now();
  if (has_windows()) close_window();
}

bool Planner::pop(PlanStep& step) {
  if (steps_.empty()) return false;
  step = steps_.front();
  steps_.pop_front();
  return true;
}

// Frames come here in presentation order.
void Planner::release(const PlanFrame& frame) {
  PlanFrame next = frame;
  next.seconds = std::max(next.seconds, newest_seconds_);  // a wrong time of the container
  newest_seconds_ = next.seconds;
  if (!has_first_ && !next.is_discard) {
    first_seconds_ = next.seconds;
    has_first_ = true;
  }
  choose(next);
}

void Planner::choose(const PlanFrame& frame) {
  const double rate = density_.keyframes_per_second;
  if (!undecided_.empty() &&
      frame.seconds >= 2.0 * candidate_asked_ - undecided_.front().seconds - kSameTime) {
    take_candidate(true);  // whatever comes now is farther from the asked time
  }
  const bool is_candidate = frame.is_random_access && !frame.is_discard && rate > 0.0;
  if (!is_candidate) {
    if (undecided_.empty()) {
      plan(frame, false);
    } else {
      undecided_.push_back(frame);
    }
    return;
  }
  if (std::isinf(rate)) {
    plan(frame, true);
    return;
  }
  const double bucket = std::floor((frame.seconds - first_seconds_) * rate + 0.5);
  if (!undecided_.empty()) take_candidate(false);  // this one is nearer, see above
  if (bucket == served_bucket_) {
    plan(frame, false);
    return;
  }
  candidate_asked_ = first_seconds_ + bucket / rate;
  undecided_.push_back(frame);
  if (frame.seconds >= candidate_asked_ - kSameTime) take_candidate(true);
}

void Planner::take_candidate(bool is_chosen) {
  if (is_chosen) {
    served_bucket_ = std::floor(
        (undecided_.front().seconds - first_seconds_) * density_.keyframes_per_second + 0.5);
  }
  plan(undecided_.front(), is_chosen);
  undecided_.pop_front();
  while (!undecided_.empty()) {
    plan(undecided_.front(), false);
    undecided_.pop_front();
  }
}

void Planner::decide_now() {
  if (!undecided_.empty()) take_candidate(true);
}

// Frames come here in presentation order, keyframes known.
void Planner::plan(const PlanFrame& frame, bool is_keyframe) {
  planned_ = {frame.decode_index, frame.seconds};
  if (frame.is_discard) return;
  if (has_windows() && frame.seconds > end_of_window() + kSameTime) {
    close_window();
    // Windows in which nothing is shown have no target.
    const double index =
        std::ceil((frame.seconds - kSameTime - first_seconds_) * density_.deltas_per_second);
    window_index_ = std::max(window_index_ + 1.0, index);
    prune_history();
  }
  const Presented presented{frame, num_presented_++};
  if (is_keyframe) {
    last_keyframe_ = presented;
    PlanStep step;
    step.target = frame.decode_index;
    step.seconds = frame.seconds;
    step.frame_index = presented.frame_index;
    steps_.push_back(step);
  }
  if (has_windows() && (frame.is_reference || is_keyframe)) {
    history_.push_back(presented);
    prune_history();
  }
}

// Makes the step of the window that ends now, if anything new was shown in it.
void Planner::close_window() {
  const auto start = open_start();
  if (!start) return;
  const Presented& target = history_.back();
  if (target.frame.seconds <= start->seconds) return;
  PlanStep step;
  step.kind = PlanStep::Kind::kDelta;
  step.target = target.frame.decode_index;
  step.seconds = target.frame.seconds;
  step.frame_index = target.frame_index;
  step.start = start->decode_index;
  step.start_seconds = start->seconds;
  steps_.push_back(step);
}

// Leaves at the front the last reference picture at or before the begin of the present window.
void Planner::prune_history() {
  const double begin = end_of_window() - density_.window() + kSameTime;
  while (history_.size() > 1 && history_[1].frame.seconds <= begin) history_.pop_front();
}

std::optional<Planner::Start> Planner::open_start() const {
  if (history_.empty()) return std::nullopt;
  const PlanFrame& oldest = history_.front().frame;
  const bool is_keyframe_later = last_keyframe_ && last_keyframe_->frame.seconds > oldest.seconds;
  const PlanFrame& start = is_keyframe_later ? last_keyframe_->frame : oldest;
  return Start{start.decode_index, start.seconds};
}

Planner::Start Planner::finished() const {
  Start finished = open_start().value_or(planned_);
  for (const PlanStep& step : steps_) {
    const bool is_delta = step.kind == PlanStep::Kind::kDelta;
    finished.decode_index =
        std::min(finished.decode_index, is_delta ? step.start : step.target - 1);
    finished.seconds = std::min(finished.seconds, is_delta ? step.start_seconds : step.seconds);
  }
  return finished;
}

}  // namespace cope::pipeline
