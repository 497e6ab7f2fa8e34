#include "cope/pipeline/parse_queue.h"

#include <algorithm>
#include <new>

namespace cope::pipeline {
namespace {

// Pictures leave in order, so while one takes long the others need room to go on: an intra picture
// takes several times as long as those behind it. The most that pictures of one thread may take up
// is less for large ones.
constexpr std::size_t kMaxJobsPerThread = 8;
constexpr std::size_t kMinJobsPerThread = 2;
// Luma rows derived before those that look at a picture go on.
constexpr std::int32_t kRowsAtOnce = 256;
// A picture so many times as large as others is begun before them: its parse takes so many times as
// long, and all that follow it wait for it.
constexpr std::int64_t kMuchLarger = 4;
constexpr std::int64_t kMeanWindow = 16;                   // pictures
constexpr std::size_t kMaxBytes = std::size_t{256} << 20;  // of all jobs, if that leaves enough
// Memory for coefficients that all pictures together may keep from larger ones; each may keep as
// much as it uses itself, too. Else each would in time hold what the largest intra picture needs.
constexpr std::size_t kMaxIdleBytes = std::size_t{16} << 20;

}  // namespace

ParseQueue::ParseQueue(const Codec& codec, TaskCrew& crew, std::int32_t max_pictures)
    : codec_(codec),
      crew_(crew),
      num_jobs_(crew.num_threads() == 1
                    ? 1
                    : std::min(kMaxJobsPerThread * static_cast<std::size_t>(crew.num_threads()),
                               static_cast<std::size_t>(std::max(max_pictures, 1)))),
      max_jobs_(num_jobs_),
      jobs_(std::make_unique<Job[]>(num_jobs_)) {
  for (std::size_t i = 0; i < num_jobs_; ++i) jobs_[i].queue = this;
}

ParseQueue::~ParseQueue() { crew_.clear(); }

std::size_t ParseQueue::capacity() const noexcept {
  if (num_jobs_ == 1) return 1;
  const auto share = static_cast<std::size_t>(crew_.fair_share());
  const auto threads = static_cast<std::size_t>(crew_.num_threads());
  return std::min(num_jobs_, std::max(kMinJobsPerThread, max_jobs_ * share / threads));
}

void ParseQueue::push(std::unique_ptr<CodedUnit> unit, bool keep_coefficients) {
  const prim::PictureInfo& info = unit->info();
  if (num_jobs_ > 1) {
    // A parsed picture takes about a byte per sample.
    const auto bytes = static_cast<std::size_t>(std::max(1, info.width)) *
                       static_cast<std::size_t>(std::max(1, info.height));
    const auto threads = static_cast<std::size_t>(crew_.num_threads());
    max_jobs_ = std::min(num_jobs_, std::max(kMaxBytes / bytes, kMinJobsPerThread * threads));
  }
  Job& job = jobs_[(head_ + count_) % num_jobs_];
  job.decode_index = info.decode_index;
  job.unit = std::move(unit);
  job.keep_coefficients = keep_coefficients;
  job.max_idle_bytes = kMaxIdleBytes / max_jobs_;
  job.damage = {};
  job.may_split = num_jobs_ > 1 && count_ < static_cast<std::size_t>(crew_.fair_share());
  job.out_of_memory = false;
  job.is_parsed = false;
  job.is_deriving = false;
  job.rows_allowed = 0;
  job.rows_derived = 0;
  job.is_done.store(false, std::memory_order_relaxed);
  known_.emplace_back();  // room for one more
  known_.pop_back();
  link_collocated(job);
  known_.push_back({job.decode_index, nullptr, &job});
  retain(job.decode_index, job.unit->live());
  ++count_;
  const bool is_large = info.size_bytes > kMuchLarger * mean_bytes_;
  mean_bytes_ += (info.size_bytes - mean_bytes_) / kMeanWindow;
  const Task task = {[](void* context) {
                       auto& self = *static_cast<Job*>(context);
                       self.queue->parse(self);
                     },
                     &job};
  // From here on a thread may have the unit.
  if (is_large) {
    crew_.submit_first(task);
  } else {
    crew_.submit(task);
  }
}

void ParseQueue::add_parsed(std::shared_ptr<const prim::PicturePrimitives> picture) {
  const std::int64_t decode_index = picture->info.decode_index;
  if (!knows(decode_index)) known_.push_back({decode_index, std::move(picture), nullptr});
}

bool ParseQueue::knows(std::int64_t decode_index) const noexcept {
  return find(decode_index) != nullptr;
}

const ParseQueue::Known* ParseQueue::find(std::int64_t decode_index) const noexcept {
  for (const Known& known : known_) {
    if (known.decode_index == decode_index) return &known;
  }
  return nullptr;
}

// Finds what the motion of `job` looks at, and has it wait for what is not there yet.
void ParseQueue::link_collocated(Job& job) {
  job.collocated.clear();
  names_.clear();
  job.unit->append_collocated(names_);
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  job.collocated.reserve(names_.size());
  const std::scoped_lock lock(mutex_);
  try {
    for (const std::int64_t name : names_) {
      const Known* const known = find(name);
      if (known == nullptr) continue;
      if (known->job == nullptr) {
        job.collocated.push_back(*known);
      } else if (!known->job->is_done.load(std::memory_order_relaxed)) {
        job.collocated.push_back(*known);
        // Else `publish` will say where its picture is.
        if (known->job->rows_derived > 0) job.collocated.back().picture = known->job->picture;
        known->job->dependants.push_back(&job);
      } else if (!known->job->out_of_memory) {
        job.collocated.push_back({name, known->job->picture, nullptr});
      }
    }
  } catch (const std::bad_alloc&) {  // nobody may hold on to a job that is not queued
    for (const Known& known : known_) {
      if (known.job != nullptr) std::erase(known.job->dependants, &job);
    }
    throw;
  }
}

// Forgets the pictures up to this one that no later one may look at.
void ParseQueue::retain(std::int64_t decode_index, std::span<const std::int64_t> live) {
  std::erase_if(known_, [decode_index, live](const Known& known) {
    return known.decode_index < decode_index &&
           std::find(live.begin(), live.end(), known.decode_index) == live.end();
  });
}

std::unique_ptr<PictureWorker> ParseQueue::take_worker() {
  {
    const std::scoped_lock lock(mutex_);
    if (!workers_.empty()) {
      auto worker = std::move(workers_.back());
      workers_.pop_back();
      return worker;
    }
  }
  return codec_.make_worker();
}

// Everything but motion vectors, and those too unless they have to wait.
void ParseQueue::parse(Job& job) noexcept {
  try {
    // Now and not when it was queued: what waits needs no memory, and the picture that was given
    // back last is the one still in the cache.
    job.picture = pool_.acquire();
    job.worker = take_worker();
    job.worker->load(*job.unit, job.picture);
    const auto max_parts = std::min(kMaxParts, static_cast<std::size_t>(crew_.fair_share()));
    const std::size_t num_parts =
        job.may_split ? job.worker->split(max_parts, job.keep_coefficients) : 1;
    if (num_parts == 1) {
      job.worker->parse(job.keep_coefficients);
    } else {
      job.num_parts_left.store(num_parts, std::memory_order_relaxed);
      for (std::size_t i = num_parts; i-- > 1;) start_part(job, i);
      parse_part(job, 0);
      return;  // whoever is last goes on
    }
  } catch (const std::bad_alloc&) {
    job.out_of_memory = true;
  }
  finish_parse(job);
}

void ParseQueue::start_part(Job& job, std::size_t part) noexcept {
  job.parts[part] = {&job, part};
  try {
    crew_.submit_first({[](void* context) {
                          const auto& self = *static_cast<Part*>(context);
                          self.job->queue->parse_part(*self.job, self.index);
                        },
                        &job.parts[part]});
  } catch (const std::bad_alloc&) {
    parse_part(job, part);
  }
}

void ParseQueue::parse_part(Job& job, std::size_t part) noexcept {
  try {
    job.worker->parse_part(part, job.keep_coefficients);
  } catch (const std::bad_alloc&) {
    job.out_of_memory = true;
  }
  if (job.num_parts_left.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  try {
    if (!job.out_of_memory) job.worker->join_parts(job.keep_coefficients);
  } catch (const std::bad_alloc&) {
    job.out_of_memory = true;
  }
  finish_parse(job);
}

void ParseQueue::finish_parse(Job& job) noexcept {
  if (!job.out_of_memory) {
    prim::CoeffStream& coeffs = job.picture->coeffs;
    coeffs.trim(std::max(job.max_idle_bytes, coeffs.size_bytes()));
  }
  {
    const std::scoped_lock lock(mutex_);
    job.is_parsed = true;
    job.is_deriving = advance(job);
    if (!job.is_deriving) return;  // a thread that derives what it waits for goes on
  }
  derive(job);
}

// Lets derivation go on as far as that of the collocated pictures went, and with others behind it
// no further than the next step. False when there is nothing to do at present. Pre: `mutex_`.
bool ParseQueue::advance(Job& job) noexcept {
  std::int32_t rows = prim::kAllRows;
  for (const Known& known : job.collocated) {
    if (known.job != nullptr) rows = std::min(rows, known.job->rows_derived);
  }
  // One that ran out of memory waits as well, for others have it among their dependants.
  if (job.out_of_memory || !job.worker->derives_by_rows()) {
    if (rows != prim::kAllRows) return false;
  } else if (!job.dependants.empty() &&
             job.rows_allowed + kRowsAtOnce < 4 * job.picture->motion.height_4x4) {
    rows = std::min(rows, job.rows_allowed + kRowsAtOnce);
  }
  if (rows <= job.rows_allowed) return false;
  job.rows_allowed = rows;
  return true;
}

void ParseQueue::derive(Job& job) noexcept {
  const auto lookup = [](void* context,
                         std::int64_t decode_index) -> const prim::PicturePrimitives* {
    for (const Known& known : *static_cast<const std::vector<Known>*>(context)) {
      if (known.decode_index == decode_index) return known.picture.get();
    }
    return nullptr;
  };
  while (!job.out_of_memory) {
    std::int32_t rows = 0;
    try {
      rows = job.worker->derive(lookup, &job.collocated, job.rows_allowed);
    } catch (const std::bad_alloc&) {
      job.out_of_memory = true;
    }
    if (rows == prim::kAllRows) break;
    const std::scoped_lock lock(mutex_);
    if (rows > job.rows_derived) {
      job.rows_derived = rows;
      publish(job);
    }
    job.is_deriving = advance(job);
    if (!job.is_deriving) return;
  }
  finish(job);
}

// Says to those that look at a picture where it is, and has them derive what they now can.
// Pre: `mutex_`.
void ParseQueue::publish(Job& job) {
  for (Job* const dependant : job.dependants) {
    for (Known& known : dependant->collocated) {
      if (known.job != &job) continue;
      if (!known.picture) known.picture = job.picture;  // from here on others may read it
      if (job.rows_derived == prim::kAllRows) known.job = nullptr;
    }
    if (!dependant->is_parsed || dependant->is_deriving || !advance(*dependant)) continue;
    dependant->is_deriving = true;
    crew_.submit_first({[](void* context) {
                          auto& self = *static_cast<Job*>(context);
                          self.queue->derive(self);
                        },
                        dependant});
  }
}

// So that what leaves the queue is not held for the sake of later pictures: the fewer pictures go
// round, the less memory they take.
void ParseQueue::keep_collocated(Job& job) noexcept {
  if (job.out_of_memory || !job.picture->info.is_reference) return;
  try {
    job.kept = kept_pool_.acquire();
    if (!job.worker->keep_collocated(*job.picture, *job.kept)) job.kept = nullptr;
  } catch (const std::bad_alloc&) {
    job.kept = nullptr;
  }
}

void ParseQueue::finish(Job& job) noexcept {
  keep_collocated(job);
  // `job.picture` is the same one and stays as it is: others may be about to copy it.
  if (job.worker) job.worker->release(*job.unit, job.damage);
  job.collocated.clear();
  const std::scoped_lock lock(mutex_);
  if (job.worker) workers_.push_back(std::move(job.worker));
  if (job.out_of_memory) {
    for (Job* const dependant : job.dependants) {
      std::erase_if(dependant->collocated,
                    [&job](const Known& known) { return known.job == &job; });
    }
  }
  job.rows_derived = prim::kAllRows;
  publish(job);
  job.dependants.clear();
  // Last of all: the owner may use the job again from here on.
  job.is_done.store(true, std::memory_order_release);
}

ParsedPicture ParseQueue::pop(const Poll& poll) {
  Job& job = jobs_[head_];
  crew_.wait([&job] { return job.is_done.load(std::memory_order_acquire); },
             [&poll] {
               if (poll) poll();
             });
  std::erase_if(known_, [&job](Known& known) {
    if (known.job != &job) return false;
    known.job = nullptr;
    known.picture = job.kept ? job.kept : job.picture;
    return job.out_of_memory.load();
  });
  ParsedPicture parsed;
  parsed.unit = std::move(job.unit);
  parsed.picture = std::move(job.picture);
  job.kept = nullptr;
  parsed.damage = job.damage;
  if (job.out_of_memory) {
    parsed.picture = nullptr;
    parsed.damage.first_error = Status::limit("memory");
  }
  head_ = (head_ + 1) % num_jobs_;
  --count_;
  return parsed;
}

}  // namespace cope::pipeline
