#include "cope/media/demuxer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "clips.h"

namespace cope::media {
namespace {

using test::Bytes;
using test::clip;
using test::h264_clip;
using test::read_all;
using test::read_file;
using test::test_picture;
using test::text_of;

/// A packet as ffprobe prints it; missing values are kNoPts and -1.
struct ProbedPacket {
  std::int64_t pts = kNoPts, dts = kNoPts, size = 0, byte_pos = -1;
  bool is_key = false, is_discard = false;
};

std::vector<ProbedPacket> probe_packets(const std::string& path) {
  const Bytes text = test::output_of(
      "ffprobe -v quiet -select_streams v:0 -show_entries packet=pts,dts,size,pos,flags"
      " -of csv=print_section=0 " +
      path);
  std::istringstream lines(std::string(text.begin(), text.end()));
  std::vector<ProbedPacket> packets;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::vector<std::string> values;
    for (std::string value; std::getline(fields, value, ',');) values.push_back(value);
    if (values.size() < 5) continue;
    const auto integer = [](const std::string& value, std::int64_t missing) {
      return value == "N/A" ? missing : std::stoll(value);
    };
    packets.push_back({integer(values[0], kNoPts), integer(values[1], kNoPts),
                       integer(values[2], 0), integer(values[3], -1), values[4][0] == 'K',
                       values[4][1] == 'D'});
  }
  return packets;
}

Demuxer open(const std::string& path, const DemuxerOptions& options = {}) {
  Result<Demuxer> demuxer = Demuxer::open(Source::from_location(path), options);
  if (!demuxer.ok()) throw std::runtime_error(path + ": " + text_of(demuxer.status()));
  return std::move(demuxer).value();
}

class ContainerTest : public testing::TestWithParam<const char*> {};

// Against ffprobe, which decodes while it probes: everything but the dts of containers without dts.
TEST_P(ContainerTest, PacketsAreThoseOfFfprobe) {
  COPE_NEEDS_FFMPEG();
  const std::string path = h264_clip(GetParam());
  const std::vector<ProbedPacket> expected = probe_packets(path);
  Demuxer demuxer = open(path);
  const std::vector<Packet> packets = read_all(demuxer);
  ASSERT_EQ(packets.size(), 50u);
  ASSERT_EQ(expected.size(), packets.size());
  const bool has_dts = demuxer.info().container != "matroska,webm";
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const PacketView& packet = packets[i].view();
    EXPECT_EQ(packet.pts, expected[i].pts) << i;
    EXPECT_EQ(packet.dts, has_dts ? expected[i].dts : kNoPts) << i;
    EXPECT_EQ(packet.byte_pos, expected[i].byte_pos) << i;
    EXPECT_EQ(static_cast<std::int64_t>(packet.data.size()), expected[i].size) << i;
    EXPECT_EQ(packet.is_key, expected[i].is_key) << i;
    EXPECT_EQ(packet.packet_index, static_cast<std::int64_t>(i));
    EXPECT_FALSE(packet.is_discard);
    EXPECT_FALSE(packet.is_corrupt);
    EXPECT_EQ(packet.extradata, demuxer.info().extradata);
    for (std::size_t pad = 0; pad < kPacketPadding; ++pad) {
      ASSERT_EQ(packet.data.data()[packet.data.size() + pad], 0);
    }
  }
}

TEST_P(ContainerTest, DescribesTheStream) {
  COPE_NEEDS_FFMPEG();
  const Demuxer demuxer = open(h264_clip(GetParam()));
  const StreamInfo& info = demuxer.info();
  const bool is_raw = std::string(GetParam()).ends_with(".h264");
  const bool is_annex_b = is_raw || std::string(GetParam()).ends_with(".ts");
  EXPECT_EQ(info.codec_id, CodecId::kH264);
  EXPECT_EQ(info.codec_name, "h264");
  EXPECT_EQ(info.profile, 100);
  EXPECT_EQ(info.profile_name, "High");
  EXPECT_EQ(info.level, 11);
  EXPECT_EQ(info.is_length_prefixed, !is_annex_b);
  ASSERT_GT(info.extradata->size(), 8u);
  EXPECT_EQ(info.extradata->at(0), is_annex_b ? 0 : 1);
  EXPECT_EQ(info.width, 176);
  EXPECT_EQ(info.height, 144);
  EXPECT_EQ(info.pix_fmt, "yuv420p");
  EXPECT_EQ(info.rotation, 0);
  EXPECT_FALSE(info.is_mirrored);
  EXPECT_NEAR(info.average_rate.value(), 25, 1e-9);
  EXPECT_EQ(info.is_raw, is_raw);
  if (is_raw) {
    EXPECT_EQ(info.start_pts, kNoPts);
    EXPECT_FALSE(info.duration_seconds);
  } else {
    ASSERT_TRUE(info.duration_seconds);
    EXPECT_NEAR(*info.duration_seconds, 2, 0.1);
  }
}

// The same file through memory and through a byte source: nothing depends on how bytes arrive.
TEST_P(ContainerTest, BytesReadLikeFiles) {
  COPE_NEEDS_FFMPEG();
  const std::string path = h264_clip(GetParam());
  Demuxer file = open(path);
  const Bytes bytes = read_file(path);
  Result<Demuxer> memory = Demuxer::open(Source::from_bytes(bytes));
  ASSERT_TRUE(memory.ok()) << text_of(memory.status());
  const std::vector<Packet> expected = read_all(file);
  const std::vector<Packet> packets = read_all(memory.value());
  ASSERT_EQ(packets.size(), expected.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(packets[i]->pts, expected[i]->pts);
    EXPECT_TRUE(std::ranges::equal(packets[i]->data, expected[i]->data));
  }
}

TEST_P(ContainerTest, SeeksToAKeyframeAtOrBefore) {
  COPE_NEEDS_FFMPEG();
  Demuxer demuxer = open(h264_clip(GetParam()));
  const StreamInfo info = demuxer.info();
  const std::vector<Packet> all = read_all(demuxer);
  const auto time_of = [](const Packet& packet) {
    return packet->pts != kNoPts ? packet->pts : packet->dts;
  };
  for (const double seconds : {0.0, 0.3, 0.59, 0.6, 0.61, 1.3, 1.99, 5.0}) {
    const Status status = demuxer.seek(seconds);
    ASSERT_TRUE(status.ok()) << text_of(status);
    Packet packet;
    ASSERT_TRUE(demuxer.read_packet(packet).ok()) << seconds;
    EXPECT_TRUE(packet->is_key);
    const auto found = std::find_if(all.begin(), all.end(), [&](const Packet& other) {
      return other->byte_pos == packet->byte_pos;
    });
    ASSERT_NE(found, all.end());
    if (packet->packet_index >= 0) {
      EXPECT_EQ(packet->packet_index, found - all.begin());
    }
    if (info.is_raw) {
      EXPECT_EQ(packet->packet_index, 0);
      continue;
    }
    const double unit = info.time_base.value();
    const double start = static_cast<double>(time_of(all.front())) * unit;
    EXPECT_LE(static_cast<double>(time_of(packet)) * unit, start + seconds + 1e-9) << seconds;
    // What follows is the file from there on.
    std::vector<Packet> rest = read_all(demuxer);
    ASSERT_EQ(static_cast<std::ptrdiff_t>(rest.size()), all.end() - found - 1) << seconds;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      EXPECT_TRUE(
          std::ranges::equal(rest[i]->data, found[static_cast<std::ptrdiff_t>(i) + 1]->data));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ContainerTest,
                         testing::Values("base.mp4", "a.mov", "a.mkv", "a.ts", "a.flv", "a.avi",
                                         "a.h264"),
                         [](const auto& param) {
                           const std::string name = param.param;
                           return name.substr(name.find('.') + 1);
                         });

TEST(DemuxerTest, IndexedContainersSeekToTheLastKeyframe) {
  COPE_NEEDS_FFMPEG();
  for (const char* name : {"base.mp4", "a.mov", "a.mkv"}) {
    Demuxer demuxer = open(h264_clip(name));
    ASSERT_TRUE(demuxer.seek(1.3).ok());
    Packet packet;
    ASSERT_TRUE(demuxer.read_packet(packet).ok());
    EXPECT_NEAR(static_cast<double>(packet->pts) * demuxer.info().time_base.value(), 1.2, 1e-3)
        << name;
    if (packet->packet_index >= 0) {
      EXPECT_EQ(packet->packet_index, 30);
    }
  }
}

TEST(DemuxerTest, ReadsHevcAndWebm) {
  COPE_NEEDS_FFMPEG();
  Demuxer hevc = open(clip("hevc.mp4", test_picture("128x96", 0.4) +
                                           " -c:v libx265 -preset ultrafast -pix_fmt yuv420p10le"
                                           " -x265-params log-level=none"));
  EXPECT_EQ(hevc.info().codec_id, CodecId::kH265);
  EXPECT_TRUE(hevc.info().is_length_prefixed);
  EXPECT_EQ(hevc.info().profile_name, "Main 10");
  EXPECT_EQ(hevc.info().pix_fmt, "yuv420p10le");
  EXPECT_EQ(read_all(hevc).size(), 10u);

  Demuxer raw =
      open(clip("raw.hevc", "-i " + (test::scratch_folder() / "hevc.mp4").string() + " -c copy"));
  EXPECT_EQ(raw.info().codec_id, CodecId::kH265);
  EXPECT_FALSE(raw.info().is_length_prefixed);
  EXPECT_TRUE(raw.info().is_raw);
  EXPECT_EQ(raw.info().width, 128);
  EXPECT_EQ(read_all(raw).size(), 10u);

  Demuxer webm = open(clip("vp9.webm", test_picture("64x64", 0.2) + " -c:v libvpx-vp9"));
  EXPECT_EQ(webm.info().codec_id, CodecId::kOther);
  EXPECT_EQ(webm.info().codec_name, "vp9");
}

// An elementary stream must arrive byte by byte, however its packets are cut.
TEST(DemuxerTest, ElementaryStreamsLoseNothing) {
  COPE_NEEDS_FFMPEG();
  const std::string path = h264_clip("a.h264");
  Demuxer demuxer = open(path);
  Bytes joined;
  for (const Packet& packet : read_all(demuxer)) {
    joined.insert(joined.end(), packet->data.begin(), packet->data.end());
  }
  EXPECT_EQ(joined, read_file(path));
}

// Cut inside a GOP without re-encoding: ffmpeg writes an edit list that hides the start.
TEST(DemuxerTest, PacketsOutsideTheEditListComeFlagged) {
  COPE_NEEDS_FFMPEG();
  const std::string path =
      clip("trimmed.mp4", "-ss 0.8 -i " + h264_clip("base.mp4") + " -t 0.6 -c copy");
  Demuxer demuxer = open(path);
  const std::vector<Packet> packets = read_all(demuxer);
  const std::vector<ProbedPacket> expected = probe_packets(path);
  ASSERT_EQ(packets.size(), expected.size());
  std::int64_t num_discarded = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(packets[i]->pts, expected[i].pts);
    EXPECT_EQ(packets[i]->is_discard, expected[i].is_discard);
    num_discarded += packets[i]->is_discard;
    if (packets[i]->is_discard) {
      EXPECT_LT(packets[i]->pts, 0);
    }
  }
  EXPECT_GT(num_discarded, 0);
  EXPECT_EQ(demuxer.info().start_pts, 0);
  EXPECT_NEAR(demuxer.info().duration_seconds.value_or(0), 0.6, 0.1);
}

TEST(DemuxerTest, EverySampleComesOnceWhateverTheEditListRepeats) {
  const std::filesystem::path path = test::data_folder() / "streams/clips/fate_h264/mov-3elist.mp4";
  if (!std::filesystem::exists(path)) {
    if (test::data_is_required()) FAIL() << "no " << path;
    GTEST_SKIP() << "no " << path << ": set COPE_TEST_DATA";
  }
  Demuxer demuxer = open(path.string());
  const std::vector<Packet> packets = read_all(demuxer);
  EXPECT_EQ(packets.size(), 48u) << "libavformat itself yields 74";
  std::set<std::int64_t> positions, shown;
  for (const Packet& packet : packets) {
    positions.insert(packet->byte_pos);
    if (!packet->is_discard) shown.insert(packet->pts);
  }
  EXPECT_EQ(positions.size(), 48u);
  EXPECT_EQ(*shown.begin(), 0);
}

TEST(DemuxerTest, ReadsRotationAndMirroring) {
  COPE_NEEDS_FFMPEG();
  // The display_rotation metadata of ffmpeg 5 and 6 counts clockwise.
  const std::string path =
      clip("turned.mp4", "-i " + h264_clip("base.mp4") + " -c copy -metadata:s:v rotate=90");
  Demuxer demuxer = open(path);
  const Bytes text = test::output_of(
      "ffprobe -v quiet -show_entries stream_side_data=rotation -of csv=print_section=0 " + path);
  if (text.empty()) GTEST_SKIP() << "this ffmpeg does not write rotate metadata";
  const int counter_clockwise = std::stoi(std::string(text.begin(), text.end()));
  EXPECT_EQ(demuxer.info().rotation, (360 - counter_clockwise) % 360);
  EXPECT_NE(demuxer.info().rotation, 0);
  EXPECT_FALSE(demuxer.info().is_mirrored);
}

TEST(DemuxerTest, SelectsStreams) {
  COPE_NEEDS_FFMPEG();
  const std::string path =
      clip("streams.mp4", "-f lavfi -i sine=duration=1 " + test_picture("64x48", 1) + " " +
                              test_picture("128x96", 1) +
                              " -map 0 -map 1 -map 2 -c:v libx264 -preset ultrafast -c:a aac"
                              " -disposition:v:0 default -disposition:v:1 default");
  EXPECT_EQ(open(path).info().stream_index, 2) << "the largest";
  Demuxer small = open(path, {.stream_index = 1});
  EXPECT_EQ(small.info().width, 64);
  EXPECT_EQ(read_all(small).size(), 25u);
  for (const int index : {-1, 0, 3, 1000}) {
    const Result<Demuxer> wrong =
        Demuxer::open(Source::from_location(path), {.stream_index = index});
    EXPECT_EQ(wrong.status().code, StatusCode::kMediaOpen);
    EXPECT_STREQ(wrong.status().element, "stream_index");
  }

  const std::string preferred =
      clip("preferred.mp4",
           "-i " + path + " -map 0 -c copy -disposition:v:0 default -disposition:v:1 0");
  EXPECT_EQ(open(preferred).info().stream_index, 1) << "the default one";
}

TEST(DemuxerTest, CoverPicturesAreNoVideo) {
  COPE_NEEDS_FFMPEG();
  const std::string cover = clip("cover.png", test_picture("320x240", 0.04) + " -frames:v 1");
  const std::string song =
      clip("song.m4a", "-f lavfi -i sine=duration=1 -i " + cover +
                           " -map 0 -map 1 -c:a aac -c:v copy -disposition:v attached_pic");
  const Result<Demuxer> demuxer = Demuxer::open(Source::from_location(song));
  EXPECT_EQ(demuxer.status().code, StatusCode::kMediaOpen);
  EXPECT_STREQ(demuxer.status().element, "no video stream");
}

// Extradata that changes on the way: two encodings of different size joined in one flv.
TEST(DemuxerTest, SaysWhenExtradataChanges) {
  COPE_NEEDS_FFMPEG();
  const std::string first =
      clip("first.flv", test_picture("64x48", 0.4) + " -c:v libx264 -preset ultrafast");
  const std::string second =
      clip("second.flv", test_picture("96x64", 0.4) + " -c:v libx264 -preset medium");
  Bytes joined = read_file(first);
  const Bytes tail = read_file(second);
  joined.insert(joined.end(), tail.begin() + 13, tail.end());  // without the file header
  Result<Demuxer> demuxer = Demuxer::open(Source::from_bytes(joined));
  ASSERT_TRUE(demuxer.ok()) << text_of(demuxer.status());
  const std::vector<Packet> packets = read_all(demuxer.value());
  ASSERT_EQ(packets.size(), 20u);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(packets[i]->is_extradata_new, i == 10) << i;
    EXPECT_EQ(packets[i]->extradata == packets[0]->extradata, i < 10);
  }
  EXPECT_EQ(*packets[10]->extradata, *open(second).info().extradata);
}

TEST(DemuxerTest, PacketsMoveWithoutLosingTheirData) {
  COPE_NEEDS_FFMPEG();
  Demuxer demuxer = open(h264_clip("base.mp4"));
  Packet packet;
  ASSERT_TRUE(demuxer.read_packet(packet).ok());
  const PacketView view = packet.view();
  const Bytes copy(view.data.begin(), view.data.end());
  const Packet kept = std::move(packet);
  ASSERT_TRUE(demuxer.read_packet(packet).ok());  // NOLINT(bugprone-use-after-move): refilled
  EXPECT_TRUE(std::ranges::equal(view.data, copy));
  EXPECT_TRUE(std::ranges::equal(kept->data, copy));
}

/// Reads from memory, and misbehaves as told.
class FakeFile final : public ByteSource {
 public:
  explicit FakeFile(Bytes bytes) : bytes_(std::move(bytes)) {}

  std::size_t read(std::span<std::uint8_t> buffer) override {
    if (position_ >= fail_at) throw std::runtime_error("disk on fire");
    if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (endless) {
      std::ranges::fill(buffer, std::uint8_t{0});
      return buffer.size();
    }
    const std::size_t count = std::min({buffer.size(), bytes_.size() - position_, most_per_read});
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(position_), count, buffer.begin());
    position_ += count;
    return count;
  }
  void seek(std::int64_t position) override {
    EXPECT_TRUE(seekable);
    position_ = std::min(static_cast<std::size_t>(position), bytes_.size());
  }
  std::optional<std::int64_t> size() override {
    return knows_size ? std::optional(static_cast<std::int64_t>(bytes_.size())) : std::nullopt;
  }
  bool is_seekable() override { return seekable; }

  std::size_t fail_at = SIZE_MAX;
  std::size_t most_per_read = SIZE_MAX;
  bool slow = false, endless = false, seekable = true, knows_size = true;

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
};

TEST(ByteSourceTest, ShortReadsAndUnknownSizeAreFine) {
  COPE_NEEDS_FFMPEG();
  for (const char* name : {"base.mp4", "a.mkv", "a.ts"}) {
    const auto file = std::make_shared<FakeFile>(read_file(h264_clip(name)));
    file->most_per_read = 777;
    file->knows_size = false;
    Result<Demuxer> demuxer = Demuxer::open(Source::from_byte_source(file));
    ASSERT_TRUE(demuxer.ok()) << name << text_of(demuxer.status());
    EXPECT_EQ(read_all(demuxer.value()).size(), 50u) << name;
  }
}

TEST(ByteSourceTest, StreamsThatCannotSeekAreRead) {
  COPE_NEEDS_FFMPEG();
  const std::string fast_start =
      clip("faststart.mp4", "-i " + h264_clip("base.mp4") + " -c copy -movflags +faststart");
  for (const std::string& path :
       {fast_start, h264_clip("a.mkv"), h264_clip("a.ts"), h264_clip("a.h264")}) {
    const auto file = std::make_shared<FakeFile>(read_file(path));
    file->seekable = false;
    Result<Demuxer> demuxer = Demuxer::open(Source::from_byte_source(file));
    ASSERT_TRUE(demuxer.ok()) << path << text_of(demuxer.status());
    EXPECT_EQ(read_all(demuxer.value()).size(), 50u) << path;
  }
}

Bytes repeated(const Bytes& bytes, int count) {
  Bytes all;
  for (int i = 0; i < count; ++i) all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}

TEST(ByteSourceTest, SeekingFailsWhereTheSourceCannot) {
  COPE_NEEDS_FFMPEG();
  for (const char* name : {"a.mkv", "a.ts", "a.h264"}) {
    const auto file = std::make_shared<FakeFile>(read_file(h264_clip(name)));
    file->seekable = false;
    Result<Demuxer> demuxer = Demuxer::open(Source::from_byte_source(file));
    ASSERT_TRUE(demuxer.ok()) << text_of(demuxer.status());
    EXPECT_EQ(demuxer->seek(0).code, StatusCode::kMediaRead) << name;
    EXPECT_EQ(read_all(demuxer.value()).size(), 50u) << "nothing changed";
  }
}

TEST(ByteSourceTest, ExceptionsReachTheCaller) {
  COPE_NEEDS_FFMPEG();
  const Bytes bytes = read_file(h264_clip("base.mp4"));
  const auto broken = std::make_shared<FakeFile>(bytes);
  broken->fail_at = 0;
  EXPECT_THROW(
      {
        try {
          static_cast<void>(Demuxer::open(Source::from_byte_source(broken)));
        } catch (const std::runtime_error& error) {
          EXPECT_STREQ(error.what(), "disk on fire");
          throw;
        }
      },
      std::runtime_error);

  // Beyond the 5 MB that opening may read.
  const auto later = std::make_shared<FakeFile>(repeated(read_file(h264_clip("a.ts")), 100));
  Result<Demuxer> demuxer = Demuxer::open(Source::from_byte_source(later));
  ASSERT_TRUE(demuxer.ok());
  later->fail_at = 0;
  EXPECT_THROW(
      {
        for (Packet packet; demuxer->read_packet(packet).ok();) {
        }
      },
      std::runtime_error);
  EXPECT_THROW(static_cast<void>(demuxer->seek(1)), std::runtime_error);
}

TEST(ByteSourceTest, CancellationAndTimeoutsStopABlockedOpen) {
  COPE_NEEDS_FFMPEG();
  const auto file = std::make_shared<FakeFile>(read_file(h264_clip("a.ts")));
  file->slow = file->endless = true;

  using namespace std::chrono_literals;
  const auto start = std::chrono::steady_clock::now();
  DemuxerOptions options;
  options.timeout = 100ms;
  const Result<Demuxer> late = Demuxer::open(Source::from_byte_source(file), options);
  EXPECT_EQ(late.status().code, StatusCode::kMediaOpen);
  EXPECT_EQ(error_errno(late.status().error_code), ETIMEDOUT);

  std::stop_source stop;
  options.timeout = 0ms;
  options.cancel = stop.get_token();
  std::jthread canceller([&stop] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  const Result<Demuxer> cancelled = Demuxer::open(Source::from_byte_source(file), options);
  EXPECT_EQ(cancelled.status().code, StatusCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

}  // namespace
}  // namespace cope::media
