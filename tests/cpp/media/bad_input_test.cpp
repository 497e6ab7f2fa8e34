// Wrong, damaged and hostile files: a typed answer, soon, without much memory.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "clips.h"
#include "cope/media/demuxer.h"
#include "cope/media/ffmpeg_error.h"

namespace cope::media {
namespace {

using test::Bytes;
using test::clip;
using test::h264_clip;
using test::read_file;
using test::text_of;
using test::write_file;

std::int64_t peak_memory_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Opens and reads everything, watching time and memory.
class BadInputTest : public testing::Test {
 protected:
  /// Of opening, or of the last read: kEndOfStream when all was well.
  Status read_to_end(const Source& source) {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t memory = peak_memory_kib();
    const Status status = read(source);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
    EXPECT_LT(peak_memory_kib() - memory, 64 << 10);
    return status;
  }
  Status read_to_end(const std::string& path) { return read_to_end(Source::from_location(path)); }

  int num_packets_ = 0;
  int num_corrupt_ = 0;

 private:
  Status read(const Source& source) {
    num_packets_ = num_corrupt_ = 0;
    Result<Demuxer> demuxer = Demuxer::open(source);
    if (!demuxer.ok()) return demuxer.status();
    for (Packet packet;;) {
      if (const Status status = demuxer->read_packet(packet); !status.ok()) return status;
      ++num_packets_;
      num_corrupt_ += packet->is_corrupt;
    }
  }
};

TEST_F(BadInputTest, MissingFile) {
  const Status status = read_to_end("/nowhere/clip.mp4");
  EXPECT_EQ(status.code, StatusCode::kMediaOpen);
  EXPECT_EQ(error_errno(status.error_code), ENOENT);
  EXPECT_EQ(error_text(status.error_code), "No such file or directory");
}

TEST_F(BadInputTest, Directory) {
  const Status status = read_to_end(test::scratch_folder().string());
  EXPECT_EQ(status.code, StatusCode::kMediaOpen);
  EXPECT_EQ(error_errno(status.error_code), EISDIR);
}

TEST_F(BadInputTest, UnreadableFolder) {
  const std::filesystem::path folder = test::scratch_folder() / "locked";
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::none);
  const Status status = read_to_end((folder / "clip.mp4").string());
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  EXPECT_EQ(status.code, StatusCode::kMediaOpen);
  if (geteuid() != 0) {
    EXPECT_EQ(error_errno(status.error_code), EACCES);
  }
}

TEST_F(BadInputTest, EmptyFile) {
  EXPECT_EQ(read_to_end(write_file("empty.mp4", {})).code, StatusCode::kMediaOpen);
  EXPECT_EQ(read_to_end(Source::from_bytes({})).code, StatusCode::kMediaOpen);
}

TEST_F(BadInputTest, Text) {
  Bytes text;
  for (int i = 0; i < 2000; ++i) text.insert(text.end(), {'h', 'e', 'l', 'l', 'o', '\n'});
  for (const char* name : {"text.txt", "text.mp4", "text", "text.nfo", "text.h264", "text.srt"}) {
    EXPECT_EQ(read_to_end(write_file(name, text)).code, StatusCode::kMediaOpen) << name;
  }
  EXPECT_EQ(read_to_end(Source::from_bytes(text)).code, StatusCode::kMediaOpen);
}

TEST_F(BadInputTest, NamesAreNoProtocols) {
  const std::string path = write_file("concat:a.txt", Bytes{'x'});
  EXPECT_EQ(read_to_end("concat:" + path).code, StatusCode::kMediaOpen);
  EXPECT_EQ(error_errno(read_to_end("pipe:0").error_code), ENOENT);
  EXPECT_EQ(error_errno(read_to_end("subfile,,start,0,end,9,,:/etc/passwd").error_code), ENOENT);
}

// Playlists name other files. Those in memory may open none, those in files no hosts.
TEST_F(BadInputTest, PlaylistsOpenNothingElse) {
  COPE_NEEDS_FFMPEG();
  const std::string segment = h264_clip("a.ts");
  const std::string text =
      "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\n" + segment + "\n#EXT-X-ENDLIST\n";
  const Status status = read_to_end(Source::from_bytes(
      std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
  EXPECT_EQ(status.code, StatusCode::kMediaOpen) << text_of(status);
}

TEST_F(BadInputTest, AudioOnly) {
  COPE_NEEDS_FFMPEG();
  for (const char* name : {"tone.mp4", "tone.mp3", "tone.wav", "tone.mkv"}) {
    const Status status = read_to_end(clip(name, "-f lavfi -i sine=duration=1"));
    EXPECT_EQ(status.code, StatusCode::kMediaOpen) << name;
    EXPECT_STREQ(status.element, "no video stream") << name;
  }
}

TEST_F(BadInputTest, TruncatedWithMovieBoxFirst) {
  COPE_NEEDS_FFMPEG();
  Bytes bytes = read_file(
      clip("faststart.mp4", "-i " + h264_clip("base.mp4") + " -c copy -movflags +faststart"));
  bytes.resize(bytes.size() / 2);
  const Status status = read_to_end(Source::from_bytes(bytes));
  EXPECT_EQ(status.code, StatusCode::kEndOfStream) << text_of(status);
  EXPECT_GT(num_packets_, 10);
  EXPECT_LT(num_packets_, 40);
  EXPECT_EQ(num_corrupt_, 1) << "the packet that was cut";
}

TEST_F(BadInputTest, TruncatedWithMovieBoxLast) {
  COPE_NEEDS_FFMPEG();
  Bytes bytes = read_file(h264_clip("base.mp4"));
  bytes.resize(bytes.size() / 2);
  const Status status = read_to_end(Source::from_bytes(bytes));
  EXPECT_EQ(status.code, StatusCode::kMediaOpen);
  EXPECT_EQ(error_text(status.error_code), "Invalid data found when processing input");
}

// Every byte of the movie box in turn is set to ones: sizes, counts and offsets become huge.
TEST_F(BadInputTest, DamagedMovieBox) {
  COPE_NEEDS_FFMPEG();
  const Bytes good =
      read_file(clip("tiny.mp4", test::test_picture("32x32", 0.12) +
                                     " -c:v libx264 -preset ultrafast -movflags +faststart"));
  const std::string_view text(reinterpret_cast<const char*>(good.data()), good.size());
  const std::size_t moov = text.find("moov");
  const std::size_t mdat = text.find("mdat");
  ASSERT_LT(moov, mdat);
  for (std::size_t i = moov; i < mdat; i += 3) {
    Bytes damaged = good;
    damaged[i] = 0xff;
    const Status status = read_to_end(Source::from_bytes(damaged));
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.code, StatusCode::kInternal) << i;
  }
}

// stsz may promise millions of samples of one byte without listing them.
TEST_F(BadInputTest, SampleCountsBeyondTheFile) {
  COPE_NEEDS_FFMPEG();
  Bytes bytes =
      read_file(clip("tiny.mp4", test::test_picture("32x32", 0.12) +
                                     " -c:v libx264 -preset ultrafast -movflags +faststart"));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t stsz = text.find("stsz");
  const std::size_t stsc = text.find("stsc");
  const std::size_t stts = text.find("stts");
  const auto put = [&bytes](std::size_t position, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes[position++] = static_cast<std::uint8_t>(value >> shift);
  };
  for (int log2_count = 20; log2_count < 32; ++log2_count) {
    const std::uint32_t count = std::uint32_t{1} << log2_count;
    put(stsz + 8, 1);       // sample_size
    put(stsz + 12, count);  // sample_count
    put(stsc + 16, count);  // samples_per_chunk
    put(stts + 12, count);  // sample_count
    const Status status = read_to_end(Source::from_bytes(bytes));
    EXPECT_EQ(status.code, log2_count == 20 ? StatusCode::kEndOfStream : StatusCode::kMediaOpen);
  }
}

// Looking at huge pictures must not allocate one.
TEST_F(BadInputTest, HugePictures) {
  // Baseline, level 5.1, log2_max_frame_num 4, POC type 2, one reference, then both sizes.
  const Bytes start = {0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x33};
  const Bytes size_8192 = {0xda, 0x00, 0x20, 0x00, 0x04, 0x01, 0x90};
  const Bytes size_16384 = {0xda, 0x00, 0x10, 0x00,
                            0x00, 0x80, 0x19};  // too much for libavcodec as well
  const Bytes slice = {0, 0, 0,    1,    0x68, 0xce, 0x38, 0x80, 0,   0,
                       0, 1, 0x65, 0x88, 0x84, 0x21, 0xa0, 0xff, 0xff};
  const auto stream_of = [&](const Bytes& size) {
    Bytes stream;
    for (int i = 0; i < 8; ++i) {
      for (const Bytes* part : {&start, &size, &slice})
        stream.insert(stream.end(), part->begin(), part->end());
    }
    return stream;
  };
  const Status status = read_to_end(write_file("8192.h264", stream_of(size_8192)));
  EXPECT_EQ(status.code, StatusCode::kLimitExceeded) << text_of(status);
  EXPECT_STREQ(status.element, "max_luma_samples");
  EXPECT_EQ(read_to_end(write_file("16384.h264", stream_of(size_16384))).code,
            StatusCode::kEndOfStream);
}

TEST_F(BadInputTest, SharedMalformedFiles) {
  const std::filesystem::path folder = test::data_folder() / "streams/malformed";
  if (!std::filesystem::exists(folder)) {
    if (test::data_is_required()) FAIL() << "no " << folder;
    GTEST_SKIP() << "no " << folder << ": set COPE_TEST_DATA";
  }
  int num_files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const Status status = read_to_end(entry.path().string());
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.code, StatusCode::kInternal) << entry.path();
    if (entry.path().parent_path().filename() == "encrypted") {
      EXPECT_EQ(status.code, StatusCode::kUnsupported) << entry.path();
      EXPECT_STREQ(status.element, "encrypted") << entry.path();
    }
    ++num_files;
  }
  EXPECT_GT(num_files, 60);
}

TEST_F(BadInputTest, NothingIsPrinted) {
  testing::internal::CaptureStderr();
  static_cast<void>(read_to_end(
      write_file("noise.mp4", Bytes{0, 0, 0, 16, 'f', 't', 'y', 'p', 'i', 's', 'o', 'm', 0, 0,
                                    0, 0, 0, 0,  0,   24,  'm', 'o', 'o', 'v', 1,   2,   3, 4})));
  static_cast<void>(read_to_end("/nowhere/clip.mp4"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(ErrorTextTest, TellsErrnoFromOwnCodes) {
  EXPECT_EQ(error_errno(-ENOENT), ENOENT);
  EXPECT_EQ(error_errno(0), 0);
  EXPECT_EQ(error_errno(-0x20464f45), 0) << "AVERROR_EOF";
  EXPECT_EQ(error_text(-0x20464f45), "End of file");
  EXPECT_EQ(status_from_averror(StatusCode::kMediaRead, -ENOMEM).code, StatusCode::kLimitExceeded);
  EXPECT_EQ(status_from_averror(StatusCode::kMediaRead, -EIO).error_code, -EIO);
}

}  // namespace
}  // namespace cope::media
