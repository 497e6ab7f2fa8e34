#include "cope/pipeline/parse_queue.h"

#include <algorithm>
#include <new>

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

ParseQueue::ParseQueue(const Codec& codec, TaskCrew& crew, std::int32_t max_pictures)
    : crew_(crew),
      // Two pictures per thread keep all of them busy although pictures leave in order.
      num_jobs_(static_cast<std::size_t>(
          crew.num_threads() == 1 ? 1 : std::clamp(max_pictures, 1, 2 * crew.num_threads()))),
      jobs_(std::make_unique<Job[]>(num_jobs_)) {
  for (std::size_t i = 0; i < num_jobs_; ++i) jobs_[i].worker = codec.make_worker();
}

ParseQueue::~ParseQueue() { crew_.clear(); }

void ParseQueue::push(std::unique_ptr<CodedUnit> unit, bool keep_coefficients) {
  Job& job = jobs_[(head_ + count_) % num_jobs_];
  job.worker->load(*unit, pool_.acquire());
  job.unit = std::move(unit);
  job.keep_coefficients = keep_coefficients;
  job.out_of_memory = false;
  job.is_done.store(false, std::memory_order_relaxed);
  ++count_;
  crew_.submit({[](void* context) { static_cast<Job*>(context)->run(); }, &job});
}

void ParseQueue::Job::run() noexcept {
  try {
    worker->parse(keep_coefficients);
    if (!worker->needs_collocated()) worker->derive(nullptr, nullptr);
  } catch (const std::bad_alloc&) {
    out_of_memory = true;
  }
  is_done.store(true, std::memory_order_release);
}

ParsedPicture ParseQueue::pop(const PictureStore& store, const Poll& poll) {
  Job& job = jobs_[head_];
  crew_.wait([&job] { return job.is_done.load(std::memory_order_acquire); },
             [&poll] {
               if (poll) poll();
             });
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
  head_ = (head_ + 1) % num_jobs_;
  --count_;
  return parsed;
}

}  // namespace cope::pipeline
