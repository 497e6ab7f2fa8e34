#include "cope/pipeline/keyframe_task.h"

#include <chrono>
#include <new>

namespace cope::pipeline {

void KeyframeTask::begin(const PlanStep& step,
                         std::span<const std::shared_ptr<const media::Packet>> packets,
                         TaskCrew& crew) {
  step_ = step;
  num_packets_ = 0;
  for (const auto& packet : packets) packets_[num_packets_++] = packet;
  image_ = {};
  is_done_.store(false, std::memory_order_relaxed);
  crew.submit({[](void* task) { static_cast<KeyframeTask*>(task)->run(); }, this});
}

void KeyframeTask::run() noexcept {
  const auto begin = std::chrono::steady_clock::now();
  try {
    std::array<media::PacketView, 2> views;
    for (std::size_t i = 0; i < num_packets_; ++i) views[i] = packets_[i]->view();
    status_ = decoder_.decode({views.data(), num_packets_}, 0, media::SkipPictures::kNone, image_);
  } catch (const std::bad_alloc&) {
    status_ = Status::limit("memory");
  }
  packets_ = {};
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  is_done_.store(true, std::memory_order_release);
}

}  // namespace cope::pipeline
