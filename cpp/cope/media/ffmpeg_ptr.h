#pragma once

// Internal to cope/media: the only place where libav* headers are included and its versions differ.

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace cope::media {

struct FormatContextDeleter {
  void operator()(AVFormatContext* context) const noexcept { avformat_close_input(&context); }
};
struct CodecContextDeleter {
  void operator()(AVCodecContext* context) const noexcept { avcodec_free_context(&context); }
};
struct IoContextDeleter {
  // The buffer belongs to the context and may have been replaced since it was given to it.
  void operator()(AVIOContext* context) const noexcept {
    av_freep(&context->buffer);
    avio_context_free(&context);
  }
};
struct IoFileCloser {
  void operator()(AVIOContext* context) const noexcept { avio_close(context); }
};
struct PacketDeleter {
  void operator()(AVPacket* packet) const noexcept { av_packet_free(&packet); }
};
struct FrameDeleter {
  void operator()(AVFrame* frame) const noexcept { av_frame_free(&frame); }
};
struct SwsContextDeleter {
  void operator()(SwsContext* context) const noexcept { sws_freeContext(context); }
};

using FormatContextPtr = std::unique_ptr<AVFormatContext, FormatContextDeleter>;
using CodecContextPtr = std::unique_ptr<AVCodecContext, CodecContextDeleter>;
using IoContextPtr = std::unique_ptr<AVIOContext, IoContextDeleter>;
using IoFilePtr = std::unique_ptr<AVIOContext, IoFileCloser>;
using PacketPtr = std::unique_ptr<AVPacket, PacketDeleter>;
using FramePtr = std::unique_ptr<AVFrame, FrameDeleter>;
using SwsContextPtr = std::unique_ptr<SwsContext, SwsContextDeleter>;

/// Side data of a stream, empty when absent. FFmpeg 6.1 moved it from AVStream to its codecpar.
inline std::span<const std::uint8_t> stream_side_data(const AVStream& stream,
                                                      AVPacketSideDataType type) noexcept {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
  const AVPacketSideData* found = av_packet_side_data_get(
      stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, type);
  return found == nullptr ? std::span<const std::uint8_t>{}
                          : std::span<const std::uint8_t>{found->data, found->size};
#else
  std::size_t size = 0;
  const std::uint8_t* data = av_stream_get_side_data(&stream, type, &size);
  return data == nullptr ? std::span<const std::uint8_t>{}
                         : std::span<const std::uint8_t>{data, size};
#endif
}

/// H.264 counts time in fields. Until 6.0 its parser, when no decoder is open, takes frames for
/// fields unless told.
inline void set_ticks_per_frame_of_parser([[maybe_unused]] AVCodecContext& codec) noexcept {
#if LIBAVCODEC_VERSION_INT < AV_VERSION_INT(60, 13, 100)
  if (codec.codec_id == AV_CODEC_ID_H264) codec.ticks_per_frame = 2;
#endif
}

}  // namespace cope::media
