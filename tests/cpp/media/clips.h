#pragma once

// Small clips made by the ffmpeg command line tool, and what that tool says of them.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cope/media/demuxer.h"
#include "cope/media/ffmpeg_error.h"

namespace cope::media::test {

using Bytes = std::vector<std::uint8_t>;

inline bool tool_exists(std::string_view name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::path(folder) / name, ignored)) return true;
  }
  return false;
}

inline bool data_is_required() {
  const char* value = std::getenv("COPE_REQUIRE_DATA");
  return value != nullptr && std::string_view(value) == "1";
}

/// The folder of shared test data, by default `shared` beside the repository.
inline std::filesystem::path data_folder() {
  const char* value = std::getenv("COPE_TEST_DATA");
  if (value != nullptr) return value;
  return std::filesystem::path(__FILE__).parent_path() / "../../../../shared";
}

/// A folder that lasts as long as the test program.
inline const std::filesystem::path& scratch_folder() {
  struct Folder {
    Folder() {
      std::string pattern = (std::filesystem::temp_directory_path() / "cope_media_").string();
      pattern.append(6, 'X');  // what mkdtemp() replaces
      path = mkdtemp(pattern.data());
    }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
  };
  static const Folder folder;
  return folder.path;
}

/// What a shell command writes to its standard output.
inline Bytes output_of(const std::string& command) {
  Bytes output;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<std::uint8_t, 1 << 16> buffer;
  for (std::size_t count; (count = fread(buffer.data(), 1, buffer.size(), pipe)) != 0;) {
    output.insert(output.end(), buffer.begin(),
                  buffer.begin() + static_cast<std::ptrdiff_t>(count));
  }
  EXPECT_EQ(pclose(pipe), 0) << command;
  return output;
}

/// The path of a file in the scratch folder, made by ffmpeg with `arguments` unless it is there.
inline std::string clip(const std::string& name, const std::string& arguments) {
  const std::filesystem::path path = scratch_folder() / name;
  if (!std::filesystem::exists(path)) {
    output_of("ffmpeg -nostdin -v error -y " + arguments + " " + path.string());
  }
  return path.string();
}

/// A moving picture with detail everywhere; `size` as in "176x144".
inline std::string test_picture(const std::string& size, double seconds) {
  return "-f lavfi -i testsrc2=size=" + size + ":rate=25:duration=" + std::to_string(seconds);
}

/// Two seconds of H.264 with B pictures and a keyframe every 0.6 s, in the container of the ending.
inline std::string h264_clip(const std::string& name) {
  const std::string mp4 = clip("base.mp4", test_picture("176x144", 2) +
                                               " -c:v libx264 -preset veryfast -g 15 -bf 2"
                                               " -x264-params scenecut=0:b-adapt=0");
  return name == "base.mp4" ? mp4 : clip(name, "-i " + mp4 + " -c copy");
}

inline Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

inline std::string write_file(const std::string& name, const Bytes& bytes) {
  const std::filesystem::path path = scratch_folder() / name;
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  return path.string();
}

inline std::string text_of(const Status& status) {
  return "code " + std::to_string(static_cast<int>(status.code)) + ", " +
         (status.element == nullptr ? "" : status.element) + ", " + error_text(status.error_code);
}

/// Every packet of a source, read to the end.
inline std::vector<Packet> read_all(Demuxer& demuxer) {
  std::vector<Packet> packets;
  for (;;) {
    Packet packet;
    const Status status = demuxer.read_packet(packet);
    if (!status.ok()) {
      EXPECT_EQ(status.code, StatusCode::kEndOfStream) << text_of(status);
      return packets;
    }
    packets.push_back(std::move(packet));
  }
}

}  // namespace cope::media::test

/// Leaves the test when ffmpeg or ffprobe is not installed.
#define COPE_NEEDS_FFMPEG()                                                     \
  do {                                                                          \
    using cope::media::test::tool_exists;                                       \
    if (!tool_exists("ffmpeg") || !tool_exists("ffprobe")) {                    \
      if (cope::media::test::data_is_required()) FAIL() << "no ffmpeg command"; \
      GTEST_SKIP() << "no ffmpeg command";                                      \
    }                                                                           \
  } while (false)
