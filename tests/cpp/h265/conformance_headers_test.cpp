// Walks real streams and holds what their headers say against the golden records.
#include <gtest/gtest.h>
#include <stdio.h>  // popen

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "cope/bits/annex_b.h"
#include "cope/h265/header_decoder.h"

namespace cope::h265 {
namespace {

namespace fs = std::filesystem;

/// Folder with golden/ and streams/: COPE_TEST_DATA, else `shared` beside the repository.
fs::path data_folder() {
  if (const char* folder = std::getenv("COPE_TEST_DATA")) return folder;
  return fs::path(__FILE__).parent_path() / "../../../../shared";
}

struct Case {
  std::string stream;
  std::string golden_file;
};

/// H.265 byte streams that have a golden.
std::vector<Case> read_index(const fs::path& folder) {
  std::vector<Case> cases;
  std::ifstream index(folder / "golden/INDEX.tsv");
  std::string line;
  while (std::getline(index, line)) {
    std::vector<std::string> columns;
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, '\t');) columns.push_back(field);
    if (columns.size() < 5 || columns[3] != "hevc" || columns[4] == "-") continue;
    const bool is_byte_stream =
        columns[0].rfind("hevc_conformance/", 0) == 0 || columns[0].rfind("gen/", 0) == 0;
    if (is_byte_stream) cases.push_back({columns[0], columns[4]});
  }
  return cases;
}

std::vector<std::string> read_golden(const fs::path& file) {
  std::vector<std::string> lines;
  const std::string command = "gzip -dc '" + file.string() + "'";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return lines;
  std::string text;
  char buffer[1 << 16];
  for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  pclose(pipe);
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The leading fields of a golden record, up to those that need slice data.
std::string header_record(const prim::PictureInfo& info, std::int64_t n) {
  std::string slice_types;
  for (int i = 0; i < 3; ++i) {
    if ((info.slice_types >> i & 1) != 0) slice_types += "BIP"[i];
  }
  std::ostringstream out;
  out << "{\"n\":" << n << ",\"poc\":" << info.poc
      << ",\"nal_unit_type\":" << static_cast<int>(info.nal_unit_type)
      << ",\"slices\":" << info.num_slices << ",\"segments\":" << info.num_slice_segments
      << ",\"slice_types\":\"" << slice_types << "\",";
  return out.str();
}

void compare(const fs::path& folder, const Case& c) {
  SCOPED_TRACE(c.stream);
  const std::vector<std::string> golden = read_golden(folder / "golden" / c.golden_file);
  ASSERT_FALSE(golden.empty());
  std::ifstream file(folder / "streams" / c.stream, std::ios::binary);
  std::vector<std::uint8_t> bytes((std::istreambuf_iterator<char>(file)),
                                  std::istreambuf_iterator<char>());
  ASSERT_FALSE(bytes.empty());
  std::vector<std::span<const std::uint8_t>> nals;
  bits::split_annex_b(bytes, nals);

  HeaderDecoder decoder{Limits{}};
  CodedPicture picture;
  std::size_t n = 0;
  bool is_equal = true;
  const auto drain = [&] {
    while (decoder.pop_picture(picture) && n < golden.size() && is_equal) {
      const std::string record = header_record(picture.info, static_cast<std::int64_t>(n));
      is_equal = golden[n].compare(0, record.size(), record) == 0;
      EXPECT_TRUE(is_equal) << record << "\n" << golden[n].substr(0, record.size());
      EXPECT_EQ(picture.info.decode_index, static_cast<std::int64_t>(n));
      ++n;
    }
  };
  for (const auto nal : nals) {
    EXPECT_TRUE(decoder.push_nal(nal, {}).ok());
    drain();
    if (n == golden.size() || !is_equal) return;
  }
  decoder.end_access_unit();
  drain();
  EXPECT_EQ(n, golden.size());
}

TEST(ConformanceHeaders, EqualTheGoldens) {
  const fs::path folder = data_folder();
  const std::vector<Case> cases = read_index(folder);
  if (cases.empty()) {
    const char* required = std::getenv("COPE_REQUIRE_DATA");
    ASSERT_FALSE(required != nullptr && std::string(required) == "1")
        << "no golden/INDEX.tsv in " << folder;
    GTEST_SKIP() << "no golden/INDEX.tsv in " << folder << ": set COPE_TEST_DATA";
  }
  for (const Case& c : cases) compare(folder, c);
}

}  // namespace
}  // namespace cope::h265
