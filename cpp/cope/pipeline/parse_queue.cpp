#include "cope/pipeline/parse_queue.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "cope/base/thread_pool.h"

namespace cope::pipeline {

const prim::PicturePrimitives* PictureStore::find(std::int64_t decode_index) const noexcept {
  for (const auto& picture : pictures_) {
    if (picture->info.decode_index == decode_index) return picture.get();
  }
  return nullptr;
}

void PictureStore::retain(std::span<const std::int64_t> live) {
  std::erase_if(pictures_, [live](const auto& picture) {
    return std::find(live.begin(), live.end(), picture->info.decode_index) == live.end();
  });
}

ParseQueue::ParseQueue(const Codec& codec, int threads)
    : pid_(getpid()), max_helpers_(static_cast<std::size_t>(std::max(1, threads) - 1)) {
  // Two pictures per thread keep all of them busy although pictures leave in order.
  jobs_.resize(max_helpers_ == 0 ? 1 : 2 * (max_helpers_ + 1));
  for (Job& job : jobs_) job.worker = codec.make_worker();
}

ParseQueue::~ParseQueue() {
  if (getpid() != pid_) return;
  std::unique_lock lock(mutex_);
  stopping_ = true;
  done_.wait(lock, [this] { return num_helpers_ == 0; });
}

void ParseQueue::push(std::unique_ptr<CodedUnit> unit, bool keep_coefficients) {
  bool needs_helper = false;
  {
    const std::scoped_lock lock(mutex_);
    Job& job = jobs_[(head_ + count_) % jobs_.size()];
    job.worker->load(*unit, pool_.acquire());
    job.unit = std::move(unit);
    job.keep_coefficients = keep_coefficients;
    job.out_of_memory = false;
    job.state = State::kWaiting;
    ++count_;
    ++num_waiting_;
    needs_helper = num_helpers_ < std::min(max_helpers_, num_waiting_);
    if (needs_helper) ++num_helpers_;
  }
  if (needs_helper) {
    ThreadPool::shared().submit(
        {[](void* queue) { static_cast<ParseQueue*>(queue)->help(); }, this});
  }
}

void ParseQueue::run(Job& job) noexcept {
  try {
    job.worker->parse(job.keep_coefficients);
    if (!job.worker->needs_collocated()) job.worker->derive(nullptr, nullptr);
  } catch (const std::bad_alloc&) {
    job.out_of_memory = true;
  }
}

// Parses waiting pictures until none is left.
void ParseQueue::help() noexcept {
  std::unique_lock lock(mutex_);
  while (num_waiting_ != 0 && !stopping_) {
    Job& job = jobs_[(head_ + count_ - num_waiting_) % jobs_.size()];
    --num_waiting_;
    job.state = State::kRunning;
    lock.unlock();
    run(job);
    lock.lock();
    job.state = State::kDone;
    done_.notify_all();
  }
  --num_helpers_;
  done_.notify_all();
}

ParsedPicture ParseQueue::pop(const PictureStore& store, const Poll& poll) {
  if (poll) poll();
  Job& job = jobs_[head_];
  {
    std::unique_lock lock(mutex_);
    while (job.state != State::kDone) {
      if (num_waiting_ != 0) {  // pictures are taken oldest first, so this one or a later one
        Job& mine = jobs_[(head_ + count_ - num_waiting_) % jobs_.size()];
        --num_waiting_;
        mine.state = State::kRunning;
        lock.unlock();
        run(mine);
        lock.lock();
        mine.state = State::kDone;
      } else if (!done_.wait_for(lock, std::chrono::milliseconds(50),
                                 [&job] { return job.state == State::kDone; }) &&
                 poll) {
        lock.unlock();
        poll();
        lock.lock();
      }
    }
  }
  // The job is ours alone now: threads only touch waiting jobs and those they run.
  ParsedPicture parsed;
  if (!job.out_of_memory && job.worker->needs_collocated()) {
    const auto lookup = [](void* context, std::int64_t decode_index) {
      return static_cast<const PictureStore*>(context)->find(decode_index);
    };
    job.worker->derive(lookup, const_cast<PictureStore*>(&store));
  }
  parsed.picture = job.worker->release(*job.unit, parsed.damage);
  parsed.unit = std::move(job.unit);
  if (job.out_of_memory) {
    parsed.picture = nullptr;
    parsed.damage.first_error = Status::limit("memory");
  }
  const std::scoped_lock lock(mutex_);
  head_ = (head_ + 1) % jobs_.size();
  --count_;
  return parsed;
}

}  // namespace cope::pipeline
