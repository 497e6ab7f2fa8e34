#include "cope/media/iso_movie.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <utility>

namespace cope::media {
namespace {

// A file cannot make us read for long: more boxes or edits than any real movie box has mean
// nonsense.
constexpr int kMaxBoxes = 4096;
constexpr std::uint32_t kMaxEdits = 1u << 16;
// Nine hours of video. An index of so many samples is harmless even if the file does not have them.
constexpr std::uint64_t kHarmlessSamples = 1u << 20;

constexpr std::uint32_t fourcc(const char (&name)[5]) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = (value << 8) | static_cast<std::uint8_t>(name[i]);
  return value;
}

struct Box {
  std::uint32_t type = 0;
  std::int64_t begin = 0;  // of the payload
  std::int64_t end = 0;
};

class BoxReader {
 public:
  explicit BoxReader(ByteSource& file) : file_(file) {}

  /// The box at `position` inside [position, end); none when it does not fit.
  std::optional<Box> box_at(std::int64_t position, std::int64_t end) {
    if (++num_boxes_ > kMaxBoxes || end - position < 8 || !move_to(position)) return std::nullopt;
    const std::optional<std::uint64_t> head = unsigned_value(8);
    if (!head) return std::nullopt;
    Box box{
        .type = static_cast<std::uint32_t>(*head & 0xffffffffu), .begin = position + 8, .end = end};
    const auto size32 = static_cast<std::int64_t>(*head >> 32);
    if (size32 == 1) {
      const std::optional<std::uint64_t> size64 = unsigned_value(8);
      if (!size64 || *size64 < 16 || *size64 > static_cast<std::uint64_t>(end - position))
        return std::nullopt;
      box.begin += 8;
      box.end = position + static_cast<std::int64_t>(*size64);
    } else if (size32 != 0) {  // 0: to the end of the enclosing box
      if (size32 < 8 || size32 > end - position) return std::nullopt;
      box.end = position + size32;
    }
    return box;
  }

  /// The first box of a type at or after `position`.
  std::optional<Box> find(std::uint32_t type, std::int64_t position, std::int64_t end) {
    for (std::optional<Box> box = box_at(position, end); box; box = box_at(box->end, end)) {
      if (box->type == type) return box;
    }
    return std::nullopt;
  }

  std::optional<Box> find(std::uint32_t type, const Box& parent) {
    return find(type, parent.begin, parent.end);
  }

  /// Starts reading the payload of a box.
  bool enter(const Box& box) {
    end_ = box.end;
    return move_to(box.begin);
  }

  bool skip(std::int64_t size) { return end_ - position_ >= size && move_to(position_ + size); }

  /// A big-endian number of the box entered last.
  std::optional<std::uint64_t> field(int size) {
    if (end_ - position_ < size) return std::nullopt;
    return unsigned_value(size);
  }

  /// FullBox: version and flags.
  std::optional<int> version() {
    const std::optional<std::uint64_t> head = field(4);
    return head ? std::optional<int>(static_cast<int>(*head >> 24)) : std::nullopt;
  }

 private:
  bool move_to(std::int64_t position) {
    if (position != position_ || !positioned_) file_.seek(position);
    position_ = position;
    positioned_ = true;
    return true;
  }

  std::optional<std::uint64_t> unsigned_value(int size) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t done = 0; done < static_cast<std::size_t>(size);) {
      const std::size_t count =
          file_.read(std::span(bytes).subspan(done, static_cast<std::size_t>(size) - done));
      if (count == 0) return std::nullopt;
      done += count;
    }
    position_ += size;
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i) value = (value << 8) | bytes[static_cast<std::size_t>(i)];
    return value;
  }

  ByteSource& file_;
  std::int64_t position_ = 0;
  std::int64_t end_ = 0;
  bool positioned_ = false;
  int num_boxes_ = 0;
};

// MovieHeaderBox and MediaHeaderBox agree up to their timescale.
std::optional<std::uint32_t> read_timescale(BoxReader& reader, const std::optional<Box>& header) {
  if (!header || !reader.enter(*header)) return std::nullopt;
  const std::optional<int> version = reader.version();
  if (!version || !reader.skip(*version == 1 ? 16 : 8)) return std::nullopt;
  const std::optional<std::uint64_t> timescale = reader.field(4);
  if (!timescale || *timescale == 0) return std::nullopt;
  return static_cast<std::uint32_t>(*timescale);
}

std::optional<std::uint64_t> read_track_id(BoxReader& reader, const std::optional<Box>& tkhd) {
  if (!tkhd || !reader.enter(*tkhd)) return std::nullopt;
  const std::optional<int> version = reader.version();
  if (!version || !reader.skip(*version == 1 ? 16 : 8)) return std::nullopt;
  return reader.field(4);
}

std::vector<Edit> read_edits(BoxReader& reader, const Box& elst) {
  std::vector<Edit> edits;
  if (!reader.enter(elst)) return edits;
  const std::optional<int> version = reader.version();
  const std::optional<std::uint64_t> entry_count = reader.field(4);
  if (!version || !entry_count) return edits;
  // Files exist whose entry_count exceeds the box: what is there counts.
  const int time_size = *version == 1 ? 8 : 4;
  const std::int64_t room = (elst.end - elst.begin - 8) / (2 * time_size + 4);
  const std::int64_t count = std::min<std::int64_t>(
      {room, static_cast<std::int64_t>(*entry_count), std::int64_t{kMaxEdits}});
  for (std::int64_t i = 0; i < count; ++i) {
    const std::optional<std::uint64_t> duration = reader.field(time_size);
    const std::optional<std::uint64_t> time = reader.field(time_size);
    if (!duration || !time || !reader.skip(4)) return {};
    Edit edit;
    edit.segment_duration = static_cast<std::int64_t>(*duration);
    edit.media_time = time_size == 8 ? static_cast<std::int64_t>(*time)
                                     : static_cast<std::int32_t>(static_cast<std::uint32_t>(*time));
    if (edit.segment_duration < 0 || edit.segment_duration > kMaxEditTime || edit.media_time < -1 ||
        edit.media_time > kMaxEditTime) {
      return {};
    }
    edits.push_back(edit);
  }
  return edits;
}

// Only samples of one size for all are promised without being listed. Sound whose samples last one
// unit each is indexed by chunks.
bool is_plausible(BoxReader& reader, const Box& stbl, std::int64_t file_size) {
  const std::optional<Box> stsz = reader.find(fourcc("stsz"), stbl);
  if (!stsz || !reader.enter(*stsz) || !reader.version()) return true;
  const std::uint64_t sample_size = reader.field(4).value_or(0);
  const std::uint64_t sample_count = reader.field(4).value_or(0);
  if (sample_size == 0 || sample_count <= kHarmlessSamples ||
      sample_count <= static_cast<std::uint64_t>(file_size) / sample_size) {
    return true;
  }
  const std::optional<Box> stts = reader.find(fourcc("stts"), stbl);
  return stts && reader.enter(*stts) && reader.version() && reader.field(4) == 1u &&
         reader.field(4) && reader.field(4) == 1u;
}

}  // namespace

IsoMovie read_iso_movie(ByteSource& file) {
  IsoMovie movie;
  BoxReader reader(file);
  const std::int64_t size = file.size().value_or(std::numeric_limits<std::int64_t>::max());
  const std::optional<Box> moov = reader.find(fourcc("moov"), 0, size);
  if (!moov) return movie;
  const auto movie_timescale = read_timescale(reader, reader.find(fourcc("mvhd"), *moov));
  const bool is_fragmented = reader.find(fourcc("mvex"), *moov).has_value();

  for (auto trak = reader.find(fourcc("trak"), *moov); trak;
       trak = reader.find(fourcc("trak"), trak->end, moov->end)) {
    const auto track_id = read_track_id(reader, reader.find(fourcc("tkhd"), *trak));
    const auto mdia = reader.find(fourcc("mdia"), *trak);
    if (!track_id || !mdia) continue;
    if (const auto minf = reader.find(fourcc("minf"), *mdia)) {
      const auto stbl = reader.find(fourcc("stbl"), *minf);
      movie.is_plausible = movie.is_plausible && (!stbl || is_plausible(reader, *stbl, size));
    }
    const auto edts = reader.find(fourcc("edts"), *trak);
    const auto elst = edts ? reader.find(fourcc("elst"), *edts) : std::nullopt;
    const auto media_timescale = read_timescale(reader, reader.find(fourcc("mdhd"), *mdia));
    if (!elst || !media_timescale || !movie_timescale) continue;
    EditList list{*movie_timescale, *media_timescale, read_edits(reader, *elst)};
    if (list.edits.empty()) continue;
    // The movie box of a fragmented file was written before anybody knew the length.
    if (is_fragmented) list.edits.back().segment_duration = 0;
    movie.tracks.push_back({static_cast<std::uint32_t>(*track_id), std::move(list)});
  }
  return movie;
}

}  // namespace cope::media
