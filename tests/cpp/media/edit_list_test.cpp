#include "cope/media/edit_list.h"

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

std::optional<EditList> parse(const Bytes& file, std::uint32_t track_id) {
  return read_edit_list(*Source::from_bytes(file).byte_source(), track_id);
}

TEST(ReadEditListTest, FindsTheTrack) {
  const Bytes file = join(
      {box("ftyp", {Bytes(12)}), box("mdat", {Bytes(100)}),
       box("moov", {header("mvhd", 0, 600), track(1, 48000, elst(0, {{0, 1024}})),
                    track(2, 90000, {}), track(7, 12800, elst(0, {{300, -1}, {1200, 1024}}))})});
  const auto list = parse(file, 7);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->movie_timescale, 600u);
  EXPECT_EQ(list->media_timescale, 12800u);
  ASSERT_EQ(list->edits.size(), 2u);
  EXPECT_EQ(list->edits[0].segment_duration, 300);
  EXPECT_EQ(list->edits[0].media_time, -1);
  EXPECT_EQ(list->edits[1].segment_duration, 1200);
  EXPECT_EQ(list->edits[1].media_time, 1024);
  EXPECT_FALSE(parse(file, 2));
  EXPECT_FALSE(parse(file, 3));
}

TEST(ReadEditListTest, ReadsVersion1And64BitBoxSizes) {
  const Bytes moov =
      join({header("mvhd", 1, 1000), track(1, 90000, elst(1, {{1LL << 33, 1LL << 34}}), 1)});
  const Bytes file =
      join({number(1, 4), Bytes{'m', 'o', 'o', 'v'}, number(moov.size() + 16, 8), moov});
  const auto list = parse(file, 1);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->edits.at(0).segment_duration, 1LL << 33);
  EXPECT_EQ(list->edits.at(0).media_time, 1LL << 34);
}

TEST(ReadEditListTest, AFragmentedFileHasNoEnd) {
  const Bytes file = box("moov", {header("mvhd", 0, 1000), track(1, 90000, elst(0, {{500, 3000}})),
                                  box("mvex", {Bytes(8)})});
  const auto list = parse(file, 1);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->edits.at(0).segment_duration, 0);
}

TEST(ReadEditListTest, CountsWhatIsThere) {
  Bytes edits = elst(0, {{10, 20}});
  edits[15] = 200;  // entry_count
  const auto list = parse(box("moov", {header("mvhd", 0, 1000), track(1, 90000, edits)}), 1);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->edits.size(), 1u);
}

// Whatever byte is damaged and wherever the file ends, the answer comes and is sane.
TEST(ReadEditListTest, SurvivesDamage) {
  const Bytes good =
      join({box("ftyp", {Bytes(4)}),
            box("moov", {header("mvhd", 0, 600), track(7, 12800, elst(0, {{300, 0}}))})});
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(parse(cut, 7)) << size;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      Bytes damaged = good;
      damaged[i] = static_cast<std::uint8_t>(value);
      const auto list = parse(damaged, 7);
      if (list) {
        EXPECT_EQ(list->edits.size(), 1u);
        EXPECT_NE(list->media_timescale, 0u);
        EXPECT_NE(list->movie_timescale, 0u);
      }
    }
  }
}

EditTimeline timeline(const std::vector<Edit>& edits) { return EditTimeline({1000, 90000, edits}); }

TEST(EditTimelineTest, WithoutEditsTimesStay) {
  const EditTimeline none;
  EXPECT_TRUE(none.is_identity());
  EXPECT_EQ(none.present(77).pts, 77);
  EXPECT_TRUE(none.present(77).is_shown);
  EXPECT_EQ(none.shift_dts(-5), -5);
  EXPECT_EQ(none.composition_time(77), 77);
  EXPECT_FALSE(none.duration());
}

// The usual edit list: hides the delay that B pictures bring.
TEST(EditTimelineTest, OneEditShifts) {
  const EditTimeline edits = timeline({{2000, 6000}});
  EXPECT_EQ(edits.present(6000).pts, 0);
  EXPECT_TRUE(edits.present(6000).is_shown);
  EXPECT_EQ(edits.present(3000).pts, -3000);
  EXPECT_FALSE(edits.present(3000).is_shown);
  EXPECT_TRUE(edits.present(6000 + 179999).is_shown);
  EXPECT_FALSE(edits.present(6000 + 180000).is_shown);
  EXPECT_EQ(edits.present(6000 + 180000).pts, 180000);
  EXPECT_EQ(edits.shift_dts(0), -6000);
  EXPECT_EQ(edits.duration(), 180000);
  EXPECT_EQ(edits.composition_time(0), 6000);
}

TEST(EditTimelineTest, AnEmptyEditDelays) {
  const EditTimeline edits = timeline({{500, -1}, {1000, 0}});
  EXPECT_EQ(edits.start(), 45000);
  EXPECT_EQ(edits.present(0).pts, 45000);
  EXPECT_EQ(edits.shift_dts(0), 45000);
  EXPECT_EQ(edits.duration(), 90000);
  EXPECT_EQ(edits.composition_time(45000), 0);
}

// Media [2 s, 3 s), then [0 s, 1 s), then [0.5 s, 1 s) again.
TEST(EditTimelineTest, EditsReorderAndRepeat) {
  const EditTimeline edits = timeline({{1000, 180000}, {1000, 0}, {500, 45000}});
  EXPECT_EQ(edits.present(180000).pts, 0);
  EXPECT_EQ(edits.present(0).pts, 90000);
  EXPECT_EQ(edits.present(45000).pts, 135000) << "of the first edit that shows it";
  EXPECT_FALSE(edits.present(100000).is_shown);
  EXPECT_FALSE(edits.present(300000).is_shown);
  EXPECT_EQ(edits.composition_time(0), 180000);
  EXPECT_EQ(edits.composition_time(90000), 0);
  EXPECT_EQ(edits.composition_time(180000 + 9000), 54000);
  EXPECT_EQ(edits.duration(), 225000);
}

TEST(EditTimelineTest, AnEditWithoutDurationGoesOn) {
  const EditTimeline edits = timeline({{0, 3000}});
  EXPECT_TRUE(edits.present(1LL << 40).is_shown);
  EXPECT_FALSE(edits.duration());
}

TEST(EditTimelineTest, HugeTimesDoNotOverflow) {
  const std::int64_t huge = std::int64_t{1} << 48;
  const EditTimeline edits({1, 0xffffffffu, {{huge, -1}, {huge, huge}, {huge, 0}}});
  EXPECT_TRUE(edits.present(huge).is_shown);
  EXPECT_GT(edits.present(huge).pts, 0);
}

}  // namespace
}  // namespace cope::media
