#include "cope/media/keyframe_decoder.h"

#include <algorithm>
#include <utility>

#include "cope/media/ffmpeg_error.h"
#include "cope/media/ffmpeg_log.h"
#include "cope/media/ffmpeg_ptr.h"
#include "cope/media/image_converter.h"

namespace cope::media {
namespace {

constexpr std::size_t kMaxPacketBytes = (std::size_t{1} << 31) - 1 - AV_INPUT_BUFFER_PADDING_SIZE;

}  // namespace

struct KeyframeDecoder::Impl {
  Impl(const StreamInfo& info, const KeyframeDecoderOptions& decoder_options)
      : options(decoder_options), converter(info, decoder_options.size) {}

  Status open_codec(const Extradata& configuration);
  Status decode(std::span<const PacketView> packets, std::size_t target, SkipPictures skip);
  Status send(const PacketView& view, std::size_t index, bool has_new_extradata);
  bool receive(std::int64_t index);

  KeyframeDecoderOptions options;
  const AVCodec* codec = nullptr;
  Extradata extradata;  // what `context` was told last
  CodecContextPtr context;
  PacketPtr packet;
  FramePtr frame;
  int first_error = 0;  // of the present call
  ImageConverter converter;
};

Status KeyframeDecoder::Impl::open_codec(const Extradata& configuration) {
  context.reset();
  CodecContextPtr opened(avcodec_alloc_context3(codec));
  if (opened == nullptr) return status_from_averror(StatusCode::kInternal, AVERROR(ENOMEM));
  if (!configuration.empty()) {
    opened->extradata =
        static_cast<std::uint8_t*>(av_mallocz(configuration.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    if (opened->extradata == nullptr) {
      return status_from_averror(StatusCode::kInternal, AVERROR(ENOMEM));
    }
    std::copy(configuration.begin(), configuration.end(), opened->extradata);
    opened->extradata_size = static_cast<int>(configuration.size());
  }
  opened->thread_count = std::max(1, options.threads);
  opened->max_pixels = options.limits.max_luma_samples;
  // The caller knows where decoding may start. Pictures after a point that libavcodec does not
  // acknowledge, such as an I picture without recovery point, must come out as well.
  opened->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
  // Else a left crop is rounded to the alignment of vector loads.
  opened->flags |= AV_CODEC_FLAG_UNALIGNED;
  const int error = avcodec_open2(opened.get(), codec, nullptr);
  if (error < 0) return status_from_averror(StatusCode::kInvalidBitstream, error, "extradata");
  extradata = configuration;
  context = std::move(opened);
  return {};
}

// Leaves the target in `frame`. Packets are known to the codec by their index instead of their pts,
// which may be missing or repeat: a frame carries the one of the packet that started it.
Status KeyframeDecoder::Impl::decode(std::span<const PacketView> packets, std::size_t target,
                                     SkipPictures skip) {
  first_error = 0;
  const auto wanted = static_cast<std::int64_t>(target);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const bool has_new_extradata =
        packets[i].extradata != nullptr && *packets[i].extradata != extradata;
    if (context == nullptr || (i == 0 && has_new_extradata)) {
      COPE_RETURN_IF_ERROR(
          open_codec(has_new_extradata ? *packets[i].extradata : Extradata(extradata)));
    }
    context->skip_frame =
        skip == SkipPictures::kNonReference && i < target ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
    COPE_RETURN_IF_ERROR(send(packets[i], i, i > 0 && has_new_extradata));
    if (receive(wanted)) return {};
  }
  avcodec_send_packet(context.get(), nullptr);
  if (receive(wanted)) return {};
  return status_from_averror(StatusCode::kInvalidBitstream, first_error, "keyframe");
}

Status KeyframeDecoder::Impl::send(const PacketView& view, std::size_t index,
                                   bool has_new_extradata) {
  if (view.data.empty()) return {};  // to libavcodec this means the end
  if (view.data.size() > kMaxPacketBytes) return Status::limit("packet size");
  av_packet_unref(packet.get());
  int error = av_new_packet(packet.get(), static_cast<int>(view.data.size()));
  if (error < 0) return status_from_averror(StatusCode::kInternal, error);
  std::copy(view.data.begin(), view.data.end(), packet->data);
  packet->pts = static_cast<std::int64_t>(index);
  if (view.is_key) packet->flags |= AV_PKT_FLAG_KEY;
  if (has_new_extradata) {
    extradata = *view.extradata;
    std::uint8_t* side_data =
        av_packet_new_side_data(packet.get(), AV_PKT_DATA_NEW_EXTRADATA, extradata.size());
    if (side_data == nullptr) return status_from_averror(StatusCode::kInternal, AVERROR(ENOMEM));
    std::copy(extradata.begin(), extradata.end(), side_data);
  }
  error = avcodec_send_packet(context.get(), packet.get());
  if (error < 0 && first_error == 0) first_error = error;  // the target may come out all the same
  return {};
}

bool KeyframeDecoder::Impl::receive(std::int64_t index) {
  for (;;) {
    const int error = avcodec_receive_frame(context.get(), frame.get());
    if (error == 0 && frame->pts == index) return true;
    if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return false;
    if (error < 0 && first_error == 0) first_error = error;
  }
}

Result<KeyframeDecoder> KeyframeDecoder::open(const StreamInfo& info,
                                              const KeyframeDecoderOptions& options) {
  if (options.size && (options.size->height < 1 || options.size->width < 1 ||
                       static_cast<std::int64_t>(options.size->height) * options.size->width >
                           options.limits.max_luma_samples)) {
    return Status::limit("image size");
  }
  auto impl = std::make_unique<Impl>(info, options);
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get_by_name(info.codec_name.c_str());
  if (descriptor != nullptr) impl->codec = avcodec_find_decoder(descriptor->id);
  if (impl->codec == nullptr) return Status::unsupported("codec without a decoder in libavcodec");
  impl->packet.reset(av_packet_alloc());
  impl->frame.reset(av_frame_alloc());
  if (impl->packet == nullptr || impl->frame == nullptr) {
    return status_from_averror(StatusCode::kInternal, AVERROR(ENOMEM));
  }
  if (info.extradata != nullptr) impl->extradata = *info.extradata;
  return KeyframeDecoder(std::move(impl));
}

KeyframeDecoder::KeyframeDecoder(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
KeyframeDecoder::KeyframeDecoder(KeyframeDecoder&&) noexcept = default;
KeyframeDecoder& KeyframeDecoder::operator=(KeyframeDecoder&&) noexcept = default;
KeyframeDecoder::~KeyframeDecoder() = default;

Status KeyframeDecoder::decode(std::span<const PacketView> packets, std::size_t target,
                               SkipPictures skip, Image& out) {
  Impl& impl = *impl_;
  const QuietScope quiet;
  Status status = impl.decode(packets, target, skip);
  if (status.ok()) {
    out.is_damaged = impl.frame->decode_error_flags != 0 || impl.first_error != 0;
    status = impl.converter.convert(*impl.frame, out);
  }
  av_frame_unref(impl.frame.get());
  if (impl.context != nullptr) avcodec_flush_buffers(impl.context.get());
  return status;
}

}  // namespace cope::media
