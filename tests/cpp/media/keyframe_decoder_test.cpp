#include "cope/media/keyframe_decoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clips.h"

namespace cope::media {
namespace {

using test::Bytes;
using test::clip;
using test::h264_clip;
using test::read_all;
using test::test_picture;
using test::text_of;

// The flags of ImageConverter: with them ffmpeg's own conversion is equal sample for sample.
const std::string kScale =
    "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact";

/// A file, its packets, and a decoder for them.
struct Clip {
  explicit Clip(const std::string& path, const KeyframeDecoderOptions& options = {})
      : demuxer(std::move(Demuxer::open(Source::from_location(path))).value()),
        packets(read_all(demuxer)),
        decoder(std::move(KeyframeDecoder::open(demuxer.info(), options)).value()) {
    for (const Packet& packet : packets) views.push_back(packet.view());
  }

  /// Indices of packets in the order in which they are shown.
  std::vector<std::size_t> output_order() const {
    std::vector<std::size_t> order(views.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return views[a].pts < views[b].pts; });
    return order;
  }

  Image decode(std::size_t first, std::size_t target, SkipPictures skip = SkipPictures::kNone) {
    Image image;
    const Status status = decoder.decode(std::span(views).subspan(first, target - first + 1),
                                         target - first, skip, image);
    EXPECT_TRUE(status.ok()) << text_of(status);
    return image;
  }

  Demuxer demuxer;
  std::vector<Packet> packets;
  std::vector<PacketView> views;
  KeyframeDecoder decoder;
};

/// Frame `index` in output order as ffmpeg shows it, RGB [height][width][3].
Bytes ffmpeg_frame(const std::string& path, std::size_t index, const std::string& filter = kScale,
                   const std::string& input_options = "") {
  return test::output_of("ffmpeg -nostdin -v error " + input_options + " -i " + path +
                         " -vf \"select=eq(n\\," + std::to_string(index) + ")," + filter +
                         ",format=gbrp\" -frames:v 1 -f rawvideo -pix_fmt rgb24 -");
}

/// Largest difference; -1 when the sizes do not match.
int max_difference(const Image& image, const Bytes& packed) {
  if (image.data.size() != packed.size()) return -1;
  const std::size_t plane = packed.size() / 3;
  int largest = 0;
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      largest =
          std::max(largest, std::abs(image.data[channel * plane + i] - packed[3 * i + channel]));
    }
  }
  return largest;
}

struct FormatCase {
  const char* name;
  const char* encoder_options;
};

class FormatTest : public testing::TestWithParam<FormatCase> {};

TEST_P(FormatTest, PixelsAreThoseOfFfmpeg) {
  COPE_NEEDS_FFMPEG();
  const FormatCase& format = GetParam();
  const std::string path = clip(std::string(format.name) + ".mp4",
                                test_picture("178x98", 0.2) + " " + format.encoder_options);
  Clip video(path);
  ASSERT_EQ(video.packets.size(), 5u);
  const Image image = video.decode(0, 0);
  EXPECT_EQ(image.width, 178);
  EXPECT_EQ(image.height, 98);
  EXPECT_FALSE(image.is_damaged);
  EXPECT_EQ(max_difference(image, ffmpeg_frame(path, 0)), 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, FormatTest,
    testing::Values(
        FormatCase{"h264_420", "-c:v libx264 -pix_fmt yuv420p"},
        FormatCase{"h264_422", "-c:v libx264 -pix_fmt yuv422p"},
        FormatCase{"h264_444", "-c:v libx264 -pix_fmt yuv444p"},
        FormatCase{"h264_420_10", "-c:v libx264 -pix_fmt yuv420p10"},
        FormatCase{"h264_422_10", "-c:v libx264 -pix_fmt yuv422p10"},
        FormatCase{"h264_444_10", "-c:v libx264 -pix_fmt yuv444p10"},
        FormatCase{"h264_rgb", "-c:v libx264rgb -pix_fmt rgb24"},
        FormatCase{"h264_full", "-c:v libx264 -pix_fmt yuvj420p"},
        FormatCase{
            "h264_bt709",
            "-vf scale=out_color_matrix=bt709 -c:v libx264 -pix_fmt yuv420p -colorspace bt709"},
        FormatCase{"h264_bt709_full",
                   "-vf scale=out_color_matrix=bt709:out_range=full -c:v libx264 -pix_fmt yuv420p"
                   " -colorspace bt709 -color_range pc"},
        FormatCase{"h264_bt2020",
                   "-vf scale=out_color_matrix=bt2020 -c:v libx264 -pix_fmt yuv420p10 -colorspace "
                   "bt2020nc"},
        FormatCase{"hevc_420", "-c:v libx265 -pix_fmt yuv420p -x265-params log-level=none"},
        FormatCase{"hevc_422_10", "-c:v libx265 -pix_fmt yuv422p10 -x265-params log-level=none"},
        FormatCase{"hevc_444_12", "-c:v libx265 -pix_fmt yuv444p12 -x265-params log-level=none"},
        FormatCase{"mpeg4", "-c:v mpeg4 -q:v 2"}),
    [](const auto& param) { return std::string(param.param.name); });

// No rule by height: what libswscale does for ffmpeg and for every reader built on it.
TEST(KeyframeDecoderTest, UntaggedHighDefinitionIsBt601) {
  COPE_NEEDS_FFMPEG();
  const std::string path =
      clip("hd.mp4", test_picture("1280x720", 0.04) + " -c:v libx264 -preset ultrafast");
  Clip video(path);
  EXPECT_EQ(max_difference(video.decode(0, 0), ffmpeg_frame(path, 0)), 0);
}

// Monochrome: the luma, stretched from limited to full range, must stand in all three planes.
TEST(KeyframeDecoderTest, MonochromeIsStretchedToFullRange) {
  COPE_NEEDS_FFMPEG();
  for (const std::string codec : {"libx264", "libx265"}) {
    const std::string path =
        clip("gray_" + codec + ".mp4",
             test_picture("64x64", 0.04) + " -pix_fmt gray -color_range tv -c:v " + codec +
                 (codec == "libx265" ? " -x265-params log-level=none" : ""));
    Clip video(path);
    const Image image = video.decode(0, 0);
    const Bytes luma = test::output_of("ffmpeg -nostdin -v error -i " + path +
                                       " -vf extractplanes=y -f rawvideo -pix_fmt gray -");
    ASSERT_EQ(luma.size() * 3, image.data.size());
    for (std::size_t i = 0; i < image.data.size(); ++i) {
      const double expected = std::clamp((luma[i % luma.size()] - 16) * 255.0 / 219, 0.0, 255.0);
      ASSERT_NEAR(image.data[i], expected, 1.01) << codec << i;
    }
  }
}

// Every frame of a clip with B pictures, each decoded alone from the keyframe before it.
TEST(KeyframeDecoderTest, AnyPictureFromItsKeyframe) {
  COPE_NEEDS_FFMPEG();
  const std::string path = h264_clip("base.mp4");
  Clip video(path);
  const std::vector<std::size_t> order = video.output_order();
  for (std::size_t shown = 0; shown < order.size(); shown += 3) {
    const std::size_t target = order[shown];
    std::size_t first = target;
    while (!video.views[first].is_key) --first;
    const Bytes expected = ffmpeg_frame(path, shown);
    EXPECT_EQ(max_difference(video.decode(first, target), expected), 0) << shown;
    EXPECT_EQ(max_difference(video.decode(first, target, SkipPictures::kNonReference), expected), 0)
        << shown;
  }
}

TEST(KeyframeDecoderTest, TimestampsPlayNoPart) {
  COPE_NEEDS_FFMPEG();
  const std::string path = h264_clip("base.mp4");
  Clip video(path);
  const std::vector<std::size_t> order = video.output_order();
  for (PacketView& view : video.views) view.pts = view.dts = kNoPts;
  EXPECT_EQ(max_difference(video.decode(0, order[4]), ffmpeg_frame(path, 4)), 0);
  for (PacketView& view : video.views) view.pts = view.dts = 7;
  EXPECT_EQ(max_difference(video.decode(0, order[5]), ffmpeg_frame(path, 5)), 0);
}

TEST(KeyframeDecoderTest, ThreadsChangeNothing) {
  COPE_NEEDS_FFMPEG();
  const std::string path = h264_clip("base.mp4");
  Clip one(path);
  Clip four(path, {.threads = 4});
  for (const std::size_t target : {0u, 3u, 14u, 15u, 16u}) {
    const Image image = one.decode(0, target);
    EXPECT_FALSE(image.data.span().empty());
    EXPECT_TRUE(std::ranges::equal(image.data.span(), four.decode(0, target).data.span()));
    const Image skipping = four.decode(0, target, SkipPictures::kNonReference);
    EXPECT_TRUE(std::ranges::equal(image.data.span(), skipping.data.span()));
  }
}

// The context is reused in any order: nothing of an earlier picture may stay.
TEST(KeyframeDecoderTest, KeyframesInAnyOrder) {
  COPE_NEEDS_FFMPEG();
  const std::string path = h264_clip("base.mp4");
  Clip video(path);
  const std::vector<std::size_t> order = video.output_order();
  for (const std::size_t key : {45u, 0u, 30u, 15u, 45u}) {
    ASSERT_TRUE(video.views[key].is_key);
    EXPECT_EQ(max_difference(video.decode(key, key), ffmpeg_frame(path, key)), 0) << key;
  }
}

// Open GOP: the pictures that follow the keyframe in decoding order but are shown before it.
TEST(KeyframeDecoderTest, OpenGopKeyframesStandAlone) {
  COPE_NEEDS_FFMPEG();
  const std::string path =
      clip("open.mkv", test_picture("176x144", 2) +
                           " -c:v libx264 -g 15 -bf 2 -x264-params open-gop=1:scenecut=0");
  Clip video(path);
  const std::vector<std::size_t> order = video.output_order();
  int num_keys = 0;
  for (std::size_t shown = 0; shown < order.size(); ++shown) {
    if (!video.views[order[shown]].is_key) continue;
    ++num_keys;
    EXPECT_EQ(max_difference(video.decode(order[shown], order[shown]), ffmpeg_frame(path, shown)),
              0)
        << shown;
  }
  EXPECT_GE(num_keys, 3);
}

TEST(KeyframeDecoderTest, ElementaryStreams) {
  COPE_NEEDS_FFMPEG();
  const std::string path = h264_clip("a.h264");
  Clip video(path);
  EXPECT_EQ(max_difference(video.decode(0, 0), ffmpeg_frame(path, 0)), 0);
  EXPECT_EQ(max_difference(video.decode(15, 15), ffmpeg_frame(path, 15)), 0);
}

// The two fields of a frame come as two packets; the target is the first of them.
TEST(KeyframeDecoderTest, FieldsAreWoven) {
  COPE_NEEDS_FFMPEG();
  const std::filesystem::path folder = test::data_folder() / "streams/h264_conformance";
  if (!std::filesystem::exists(folder)) {
    if (test::data_is_required()) FAIL() << "no " << folder;
    GTEST_SKIP() << "no " << folder << ": set COPE_TEST_DATA";
  }
  for (const char* name : {"jvt/CVFI1_SVA_C.264", "jmhm/field_p_refs8_slices.264"}) {
    const std::string path = (folder / name).string();
    Clip video(path);
    for (std::size_t frame = 0; frame < video.views.size() / 2; frame += 3) {
      Image image;
      const Status status = video.decoder.decode(std::span(video.views).first(2 * frame + 2),
                                                 2 * frame, SkipPictures::kNone, image);
      ASSERT_TRUE(status.ok()) << name << text_of(status);
      EXPECT_EQ(max_difference(image, ffmpeg_frame(path, frame)), 0) << name << frame;
    }
  }
}

TEST(KeyframeDecoderTest, Interlaced) {
  COPE_NEEDS_FFMPEG();
  const std::string path =
      clip("interlaced.mp4",
           test_picture("176x144", 0.4) + " -c:v libx264 -flags +ildct+ilme -x264-params tff=1");
  Clip video(path);
  const std::string progressive = kScale + ":interl=0";
  EXPECT_EQ(max_difference(video.decode(0, 0), ffmpeg_frame(path, 0, progressive)), 0);
}

TEST(KeyframeDecoderTest, CropsLikeTheStreamSays) {
  COPE_NEEDS_FFMPEG();
  // A crop of 6 from the left, which vector alignment would round away.
  const std::string plain = clip("uncropped.h264", test_picture("192x128", 0.04) + " -c:v libx264");
  const std::string cropped =
      clip("cropped.h264",
           "-i " + plain +
               " -c copy -bsf:v h264_metadata=crop_left=6:crop_right=10:crop_top=2:crop_bottom=4");
  Clip whole(plain);
  Clip part(cropped);
  const Image image = part.decode(0, 0);
  ASSERT_EQ(image.width, 192 - 16);
  ASSERT_EQ(image.height, 128 - 6);
  EXPECT_EQ(max_difference(image, ffmpeg_frame(cropped, 0, kScale, "-flags:v +unaligned")), 0);
  // Chroma is interpolated across the cut in one and not in the other: compare away from the
  // border.
  const Image full = whole.decode(0, 0);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (int y = 8; y < image.height - 8; ++y) {
      for (int x = 8; x < image.width - 8; ++x) {
        const std::size_t inner =
            (channel * 122 + static_cast<std::size_t>(y)) * 176 + static_cast<std::size_t>(x);
        const std::size_t outer = (channel * 128 + static_cast<std::size_t>(y + 2)) * 192 +
                                  static_cast<std::size_t>(x + 6);
        ASSERT_EQ(image.data[inner], full.data[outer]);
      }
    }
  }
}

TEST(KeyframeDecoderTest, Resizes) {
  COPE_NEEDS_FFMPEG();
  const std::string path = clip("wide.mp4", test_picture("320x180", 0.04) + " -c:v libx264");
  for (const auto& [width, height] :
       {std::pair{224, 224}, {56, 32}, {333, 187}, {640, 360}, {1, 1}}) {
    Clip video(path, {.size = ImageSize{.height = height, .width = width}});
    const Image image = video.decode(0, 0);
    EXPECT_EQ(image.width, width);
    EXPECT_EQ(image.height, height);
    const std::string filter = "scale=" + std::to_string(width) + ":" + std::to_string(height) +
                               kScale.substr(5).replace(0, 1, ":");
    EXPECT_EQ(max_difference(image, ffmpeg_frame(path, 0, filter)), 0) << width << "x" << height;
  }
}

/// The pixel that the display shows at (x, y) of an image mirrored left-right, then turned
/// clockwise.
std::pair<int, int> source_of(int x, int y, int width, int height, bool is_mirrored, int rotation) {
  std::pair<int, int> at{x, y};
  if (rotation == 90) at = {y, height - 1 - x};
  if (rotation == 180) at = {width - 1 - x, height - 1 - y};
  if (rotation == 270) at = {width - 1 - y, x};
  if (is_mirrored) at.first = width - 1 - at.first;
  return at;
}

TEST(KeyframeDecoderTest, TurnsAndMirrors) {
  COPE_NEEDS_FFMPEG();
  Clip video(clip("oblong.mp4", test_picture("130x70", 0.04) + " -c:v libx264"));
  const Image upright = video.decode(0, 0);
  for (const bool is_mirrored : {false, true}) {
    for (const int rotation : {0, 90, 180, 270}) {
      StreamInfo info = video.demuxer.info();
      info.is_mirrored = is_mirrored;
      info.rotation = rotation;
      Result<KeyframeDecoder> decoder = KeyframeDecoder::open(info);
      Image image;
      ASSERT_TRUE(decoder->decode(video.views, 0, SkipPictures::kNone, image).ok());
      ASSERT_EQ(image.width, rotation % 180 == 0 ? 130 : 70);
      ASSERT_EQ(image.height, rotation % 180 == 0 ? 70 : 130);
      for (int channel = 0; channel < 3; ++channel) {
        for (int y = 0; y < image.height; ++y) {
          for (int x = 0; x < image.width; ++x) {
            const auto [from_x, from_y] = source_of(x, y, 130, 70, is_mirrored, rotation);
            ASSERT_EQ(
                image
                    .data[static_cast<std::size_t>((channel * image.height + y) * image.width + x)],
                upright.data[static_cast<std::size_t>((channel * 70 + from_y) * 130 + from_x)])
                << is_mirrored << rotation;
          }
        }
      }
    }
  }
}

// The sense of rotation, against ffmpeg's own: it turns before converting, so chroma differs a
// little.
TEST(KeyframeDecoderTest, TurnsTheWayFfmpegDoes) {
  COPE_NEEDS_FFMPEG();
  for (const int degrees : {90, 180, 270}) {
    const std::string turn = std::to_string(degrees);
    const std::string path =
        clip("turn" + turn + ".mp4",
             "-i " + h264_clip("base.mp4") + " -c copy -metadata:s:v rotate=" + turn);
    Clip video(path);
    if (video.demuxer.info().rotation == 0)
      GTEST_SKIP() << "this ffmpeg does not write rotate metadata";
    const Image image = video.decode(0, 0);
    const Bytes expected = ffmpeg_frame(path, 0);
    ASSERT_EQ(image.data.size(), expected.size());
    EXPECT_EQ(image.width, degrees == 180 ? 176 : 144);
    const std::size_t plane = expected.size() / 3;
    double sum = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      sum += std::abs(image.data[i % 3 * plane + i / 3] - expected[i]);
    }
    EXPECT_LT(sum / static_cast<double>(expected.size()), 3) << degrees;
  }
}

TEST(KeyframeDecoderTest, FollowsExtradataFromPacketToPacket) {
  COPE_NEEDS_FFMPEG();
  Clip small(
      clip("small.mp4", test_picture("64x48", 0.2) + " -c:v libx264 -bf 0 -preset ultrafast"));
  Clip large(clip("medium.mp4", test_picture("96x64", 0.2) + " -c:v libx264 -bf 0 -preset medium"));
  const Image expected_small = small.decode(0, 2);
  const Image expected_large = large.decode(0, 2);
  // From one call to the next, with the decoder of the other file.
  Image image;
  ASSERT_TRUE(small.decoder.decode(large.views, 2, SkipPictures::kNone, image).ok());
  EXPECT_TRUE(std::ranges::equal(image.data.span(), expected_large.data.span()));
  ASSERT_TRUE(small.decoder.decode(small.views, 2, SkipPictures::kNone, image).ok());
  EXPECT_TRUE(std::ranges::equal(image.data.span(), expected_small.data.span()));
  // And inside a call.
  std::vector<PacketView> joined = small.views;
  joined.insert(joined.end(), large.views.begin(), large.views.end());
  ASSERT_TRUE(small.decoder.decode(joined, 7, SkipPictures::kNone, image).ok());
  EXPECT_TRUE(std::ranges::equal(image.data.span(), expected_large.data.span()));
}

TEST(KeyframeDecoderTest, DamageIsReported) {
  COPE_NEEDS_FFMPEG();
  Clip video(clip("detail.mp4", test_picture("320x240", 0.2) + " -c:v libx264 -qp 10"));
  Bytes damaged(video.views[0].data.begin(), video.views[0].data.end());
  for (std::size_t i = damaged.size() / 2; i < damaged.size(); i += 5) damaged[i] ^= 0x5a;
  std::vector<PacketView> views = video.views;
  views[0].data = damaged;
  Image image;
  ASSERT_TRUE(video.decoder.decode(std::span(views).first(1), 0, SkipPictures::kNone, image).ok());
  EXPECT_TRUE(image.is_damaged);
  EXPECT_FALSE(video.decode(0, 0).is_damaged) << "the next one is not affected";
}

TEST(KeyframeDecoderTest, NoPictureIsAnError) {
  COPE_NEEDS_FFMPEG();
  Clip video(h264_clip("base.mp4"));
  Image image;
  const Bytes noise(1000, 0x55);
  for (const std::span<const std::uint8_t> data : {std::span<const std::uint8_t>(noise), {}}) {
    PacketView view = video.views[0];
    view.data = data;
    EXPECT_EQ(video.decoder.decode(std::span(&view, 1), 0, SkipPictures::kNone, image).code,
              StatusCode::kInvalidBitstream);
  }
  EXPECT_EQ(video.decoder.decode({}, 0, SkipPictures::kNone, image).code,
            StatusCode::kInvalidBitstream);
  EXPECT_EQ(
      video.decoder.decode(std::span(video.views).first(2), 5, SkipPictures::kNone, image).code,
      StatusCode::kInvalidBitstream);
  EXPECT_FALSE(video.decode(0, 0).data.span().empty());
}

TEST(KeyframeDecoderTest, LimitsHold) {
  COPE_NEEDS_FFMPEG();
  KeyframeDecoderOptions options;
  options.limits.max_luma_samples = 176 * 143;
  Clip video(h264_clip("base.mp4"), options);
  Image image;
  EXPECT_EQ(
      video.decoder.decode(std::span(video.views).first(1), 0, SkipPictures::kNone, image).code,
      StatusCode::kInvalidBitstream);
}

TEST(KeyframeDecoderTest, SizesOutOfRange) {
  StreamInfo info;
  info.codec_name = "h264";
  for (const ImageSize size : {ImageSize{0, 16}, {16, 0}, {-1, 16}, {1 << 30, 1 << 30}}) {
    KeyframeDecoderOptions options;
    options.size = size;
    EXPECT_EQ(KeyframeDecoder::open(info, options).status().code, StatusCode::kLimitExceeded);
  }
}

TEST(KeyframeDecoderTest, UnknownCodecs) {
  StreamInfo info;
  info.codec_name = "none such";
  EXPECT_EQ(KeyframeDecoder::open(info).status().code, StatusCode::kUnsupported);
}

}  // namespace
}  // namespace cope::media
