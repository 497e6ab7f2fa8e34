#include "cope/media/iso_movie.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace cope::media {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes number(std::uint64_t value, int size) {
  Bytes bytes;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  return bytes;
}

Bytes join(const std::vector<Bytes>& parts) {
  Bytes bytes;
  for (const Bytes& part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

Bytes box(std::string_view type, const std::vector<Bytes>& parts) {
  const Bytes payload = join(parts);
  return join({number(payload.size() + 8, 4), Bytes(type.begin(), type.end()), payload});
}

Bytes full_box(std::string_view type, int version, const std::vector<Bytes>& parts) {
  return box(type, {number(static_cast<std::uint64_t>(version) << 24, 4), join(parts)});
}

Bytes header(std::string_view type, int version, std::uint32_t timescale) {
  return full_box(type, version, {Bytes(version == 1 ? 16 : 8), number(timescale, 4), Bytes(80)});
}

Bytes elst(int version, const std::vector<Edit>& edits) {
  const int size = version == 1 ? 8 : 4;
  Bytes entries;
  for (const Edit& edit : edits) {
    entries = join({entries, number(static_cast<std::uint64_t>(edit.segment_duration), size),
                    number(static_cast<std::uint64_t>(edit.media_time), size), number(1 << 16, 4)});
  }
  return full_box("elst", version, {number(edits.size(), 4), entries});
}

Bytes track(std::uint32_t id, std::uint32_t timescale, const Bytes& edit_box, int version = 0) {
  return box("trak",
             {full_box("tkhd", version, {Bytes(version == 1 ? 16 : 8), number(id, 4), Bytes(60)}),
              edit_box.empty() ? Bytes{} : box("edts", {edit_box}),
              box("mdia", {header("mdhd", version, timescale)})});
}

IsoMovie parse(const Bytes& file) {
  return read_iso_movie(*Source::from_bytes(file).byte_source());
}

TEST(IsoMovieTest, FindsTheEditsOfEachTrack) {
  const Bytes file = join(
      {box("ftyp", {Bytes(12)}), box("mdat", {Bytes(100)}),
       box("moov", {header("mvhd", 0, 600), track(1, 48000, elst(0, {{0, 1024}})),
                    track(2, 90000, {}), track(7, 12800, elst(0, {{300, -1}, {1200, 1024}}))})});
  const IsoMovie movie = parse(file);
  ASSERT_EQ(movie.tracks.size(), 2u) << "track 2 has no edits";
  EXPECT_EQ(movie.tracks[0].track_id, 1u);
  EXPECT_EQ(movie.tracks[1].track_id, 7u);
  const EditList& list = movie.tracks[1].edit_list;
  EXPECT_EQ(list.movie_timescale, 600u);
  EXPECT_EQ(list.media_timescale, 12800u);
  ASSERT_EQ(list.edits.size(), 2u);
  EXPECT_EQ(list.edits[0].segment_duration, 300);
  EXPECT_EQ(list.edits[0].media_time, -1);
  EXPECT_EQ(list.edits[1].segment_duration, 1200);
  EXPECT_EQ(list.edits[1].media_time, 1024);
}

TEST(IsoMovieTest, ReadsVersion1And64BitBoxSizes) {
  const Bytes moov =
      join({header("mvhd", 1, 1000), track(1, 90000, elst(1, {{1LL << 33, 1LL << 34}}), 1)});
  const Bytes file =
      join({number(1, 4), Bytes{'m', 'o', 'o', 'v'}, number(moov.size() + 16, 8), moov});
  const IsoMovie movie = parse(file);
  ASSERT_EQ(movie.tracks.size(), 1u);
  EXPECT_EQ(movie.tracks[0].edit_list.edits.at(0).segment_duration, 1LL << 33);
  EXPECT_EQ(movie.tracks[0].edit_list.edits.at(0).media_time, 1LL << 34);
}

TEST(IsoMovieTest, AFragmentedFileHasNoEnd) {
  const Bytes file = box("moov", {header("mvhd", 0, 1000), track(1, 90000, elst(0, {{500, 3000}})),
                                  box("mvex", {Bytes(8)})});
  const IsoMovie movie = parse(file);
  ASSERT_EQ(movie.tracks.size(), 1u);
  EXPECT_EQ(movie.tracks[0].edit_list.edits.at(0).segment_duration, 0);
}

TEST(IsoMovieTest, CountsWhatIsThere) {
  Bytes edits = elst(0, {{10, 20}});
  edits[15] = 200;  // entry_count
  const IsoMovie movie = parse(box("moov", {header("mvhd", 0, 1000), track(1, 90000, edits)}));
  ASSERT_EQ(movie.tracks.size(), 1u);
  EXPECT_EQ(movie.tracks[0].edit_list.edits.size(), 1u);
}

// Whatever byte is damaged and wherever the file ends, the answer comes and is sane.
TEST(IsoMovieTest, SurvivesDamage) {
  const Bytes good =
      join({box("ftyp", {Bytes(4)}),
            box("moov", {header("mvhd", 0, 600), track(7, 12800, elst(0, {{300, 0}}))})});
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_TRUE(parse(cut).tracks.empty()) << size;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      Bytes damaged = good;
      damaged[i] = static_cast<std::uint8_t>(value);
      for (const IsoMovie::Track& found : parse(damaged).tracks) {
        EXPECT_EQ(found.edit_list.edits.size(), 1u);
        EXPECT_NE(found.edit_list.media_timescale, 0u);
        EXPECT_NE(found.edit_list.movie_timescale, 0u);
      }
    }
  }
}

Bytes sample_tables(std::uint32_t sample_size, std::uint32_t sample_count,
                    std::uint32_t sample_delta) {
  const Bytes stbl =
      box("stbl",
          {full_box("stts", 0, {number(1, 4), number(sample_count, 4), number(sample_delta, 4)}),
           full_box("stsz", 0, {number(sample_size, 4), number(sample_count, 4)})});
  const Bytes mdia = box("mdia", {header("mdhd", 0, 90000), box("minf", {stbl})});
  return box("moov", {header("mvhd", 0, 1000),
                      box("trak", {full_box("tkhd", 0, {Bytes(8), number(1, 4)}), mdia})});
}

TEST(IsoMovieTest, SampleCountsMustFitTheFile) {
  EXPECT_TRUE(parse(sample_tables(0, 0xffffffff, 512)).is_plausible)
      << "sizes are listed: the list must fit its box";
  EXPECT_TRUE(parse(sample_tables(1, 1 << 20, 512)).is_plausible) << "harmless";
  EXPECT_FALSE(parse(sample_tables(1, (1 << 20) + 1, 512)).is_plausible);
  EXPECT_FALSE(parse(sample_tables(0xffffffff, 0xffffffff, 512)).is_plausible);
  EXPECT_TRUE(parse(sample_tables(1, 1 << 30, 1)).is_plausible) << "compressed sound";
  Bytes large = sample_tables(1, (1 << 20) + 1, 512);
  large.resize(large.size() + (1 << 20));
  EXPECT_TRUE(parse(large).is_plausible);
}

}  // namespace
}  // namespace cope::media
