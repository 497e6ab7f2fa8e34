#include "cope/media/packet.h"

#include <utility>

#include "cope/media/ffmpeg_ptr.h"

namespace cope::media {

static_assert(kNoPts == AV_NOPTS_VALUE);
static_assert(kPacketPadding <= AV_INPUT_BUFFER_PADDING_SIZE);

Packet::Packet() = default;
Packet::~Packet() = default;

Packet::Packet(Packet&& other) noexcept
    : view_(std::exchange(other.view_, {})), owner_(std::move(other.owner_)) {}

Packet& Packet::operator=(Packet&& other) noexcept {
  view_ = std::exchange(other.view_, {});
  owner_ = std::move(other.owner_);
  return *this;
}

void Packet::Deleter::operator()(AVPacket* packet) const noexcept { av_packet_free(&packet); }

}  // namespace cope::media
