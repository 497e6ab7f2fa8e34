#include "cope/media/image_converter.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "cope/media/ffmpeg_error.h"

namespace cope::media {
namespace {

constexpr int kScalerFlags =
    SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT;
// Rows of the intermediate image start where vector stores may: libswscale writes past short rows.
constexpr int kRowAlignment = 64;

// The deprecated "J" formats say only that the range is full.
AVPixelFormat without_range(AVPixelFormat format, bool& is_full_range) {
  AVPixelFormat plain = format;
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      plain = AV_PIX_FMT_YUV420P;
      break;
    case AV_PIX_FMT_YUVJ422P:
      plain = AV_PIX_FMT_YUV422P;
      break;
    case AV_PIX_FMT_YUVJ444P:
      plain = AV_PIX_FMT_YUV444P;
      break;
    case AV_PIX_FMT_YUVJ440P:
      plain = AV_PIX_FMT_YUV440P;
      break;
    default:
      break;
  }
  is_full_range = is_full_range || plain != format;
  return plain;
}

// Copies one plane, mirrored left-right and then turned clockwise.
void copy_plane(const std::uint8_t* source, std::ptrdiff_t stride, int width, int height,
                bool is_mirrored, std::int32_t rotation, std::uint8_t* out) {
  // Where the source sample of output (0, 0) is, and the steps to its right and lower neighbours.
  std::ptrdiff_t x_step = 1;
  std::ptrdiff_t y_step = stride;
  const std::uint8_t* origin = source;
  if (is_mirrored) {
    origin += width - 1;
    x_step = -1;
  }
  int out_width = width;
  int out_height = height;
  for (std::int32_t turned = 0; turned < rotation; turned += 90) {
    // A turn to the right: the left column, read upwards, becomes the top row.
    origin += y_step * (out_height - 1);
    std::swap(out_width, out_height);
    x_step = std::exchange(y_step, x_step);
    x_step = -x_step;
  }
  for (int y = 0; y < out_height; ++y, origin += y_step) {
    if (x_step == 1) {
      out = std::copy_n(origin, out_width, out);
      continue;
    }
    const std::uint8_t* from = origin;
    for (int x = 0; x < out_width; ++x, from += x_step) *out++ = *from;
  }
}

}  // namespace

Status ImageConverter::prepare(const ScalerKey& key, int width, int height) {
  if (scaler_ != nullptr && key == key_) return {};
  scaler_.reset(sws_getContext(key.width, key.height, static_cast<AVPixelFormat>(key.format), width,
                               height, AV_PIX_FMT_GBRP, kScalerFlags, nullptr, nullptr, nullptr));
  if (scaler_ == nullptr) return Status::unsupported("pixel format");
  constexpr int kOne = 1 << 16;  // contrast and saturation
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(key.colorspace), key.is_full_range,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, kOne, kOne);
  rgb_.reset(av_frame_alloc());
  if (rgb_ == nullptr) return status_from_averror(StatusCode::kInternal, AVERROR(ENOMEM));
  rgb_->format = AV_PIX_FMT_GBRP;
  rgb_->width = width;
  rgb_->height = height;
  if (const int error = av_frame_get_buffer(rgb_.get(), kRowAlignment); error < 0) {
    rgb_.reset();
    scaler_.reset();
    return status_from_averror(StatusCode::kInternal, error);
  }
  key_ = key;
  return {};
}

Status ImageConverter::convert(const AVFrame& frame, Image& out) {
  const bool is_turned = rotation_ % 180 != 0;
  ImageSize size = size_.value_or(is_turned ? ImageSize{frame.width, frame.height}
                                            : ImageSize{frame.height, frame.width});
  out.height = size.height;
  out.width = size.width;
  if (is_turned) std::swap(size.width, size.height);

  bool is_full_range = frame.color_range == AVCOL_RANGE_JPEG;
  const AVPixelFormat format =
      without_range(static_cast<AVPixelFormat>(frame.format), is_full_range);
  const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(format);
  const bool is_rgb = descriptor != nullptr && (descriptor->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  int colorspace = SWS_CS_DEFAULT;
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:         // as everybody: the exact inverse needs linear light
      colorspace = frame.colorspace;  // libswscale counts them alike
      break;
    case AVCOL_SPC_RGB:
    case AVCOL_SPC_UNSPECIFIED:
    case AVCOL_SPC_RESERVED:
      break;
    default:
      // YCgCo, ICtCp and such would come out in wrong colours.
      if (!is_rgb) return Status::unsupported("matrix_coefficients");
  }
  COPE_RETURN_IF_ERROR(prepare({frame.width, frame.height, format, colorspace, is_full_range},
                               size.width, size.height));

  const int rows = sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, rgb_->data,
                             rgb_->linesize);
  if (rows != size.height) {
    return status_from_averror(StatusCode::kInternal, std::min(rows, 0), "sws_scale");
  }

  const std::size_t plane_size =
      static_cast<std::size_t>(out.height) * static_cast<std::size_t>(out.width);
  out.data.resize_uninitialized(3 * plane_size);
  constexpr std::array<std::size_t, 3> kPlaneOfChannel{2, 0, 1};  // R, G, B among G, B, R
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const std::size_t plane = kPlaneOfChannel[channel];
    copy_plane(rgb_->data[plane], rgb_->linesize[plane], size.width, size.height, is_mirrored_,
               rotation_, out.data.data() + channel * plane_size);
  }
  return {};
}

}  // namespace cope::media
