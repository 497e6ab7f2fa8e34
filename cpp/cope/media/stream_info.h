#pragma once

// Internal to cope/media.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "cope/base/status.h"
#include "cope/media/demuxer.h"
#include "cope/media/ffmpeg_ptr.h"

namespace cope::media {

/// The stream to read: `asked`, or the best one. kMediaOpen when there is none.
Result<AVStream*> select_video_stream(const AVFormatContext& format,
                                      std::optional<std::int32_t> asked);

/// Whether the container says that the stream's samples are encrypted.
bool is_encrypted(const AVStream& stream);
bool is_encrypted(const AVPacket& packet);

/// All that the container says of a stream. `first_packets` are its first ones in decoding order;
/// their headers are parsed (not decoded) for what the container leaves open.
StreamInfo describe_stream(const AVFormatContext& format, const AVStream& stream,
                           const std::deque<PacketPtr>& first_packets);

/// Never null; empty for no data.
std::shared_ptr<const Extradata> copy_extradata(const std::uint8_t* data, std::size_t size);

}  // namespace cope::media
