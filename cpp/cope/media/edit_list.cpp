#include "cope/media/edit_list.h"

#include <algorithm>
#include <array>
#include <limits>

namespace cope::media {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
// A file cannot make us read for long: more boxes or edits than any real movie box has mean
// nonsense.
constexpr int kMaxBoxes = 4096;
constexpr std::uint32_t kMaxEdits = 1u << 16;
// Keeps sums and products of times inside 64 bits; 2^40 units of 1/90000 second are 141 days.
constexpr std::int64_t kMaxTime = std::int64_t{1} << 48;

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
    if (edit.segment_duration < 0 || edit.segment_duration > kMaxTime || edit.media_time < -1 ||
        edit.media_time > kMaxTime) {
      return {};
    }
    edits.push_back(edit);
  }
  return edits;
}

}  // namespace

std::optional<EditList> read_edit_list(ByteSource& file, std::uint32_t track_id) {
  BoxReader reader(file);
  const std::int64_t size = file.size().value_or(kNever);
  const std::optional<Box> moov = reader.find(fourcc("moov"), 0, size);
  if (!moov) return std::nullopt;

  EditList list;
  const auto movie_timescale = read_timescale(reader, reader.find(fourcc("mvhd"), *moov));
  if (!movie_timescale) return std::nullopt;
  list.movie_timescale = *movie_timescale;

  for (auto trak = reader.find(fourcc("trak"), *moov); trak;
       trak = reader.find(fourcc("trak"), trak->end, moov->end)) {
    if (read_track_id(reader, reader.find(fourcc("tkhd"), *trak)) != track_id) continue;
    const auto mdia = reader.find(fourcc("mdia"), *trak);
    const auto edts = reader.find(fourcc("edts"), *trak);
    if (!mdia || !edts) return std::nullopt;
    const auto elst = reader.find(fourcc("elst"), *edts);
    const auto media_timescale = read_timescale(reader, reader.find(fourcc("mdhd"), *mdia));
    if (!elst || !media_timescale) return std::nullopt;
    list.media_timescale = *media_timescale;
    list.edits = read_edits(reader, *elst);
    // The movie box of a fragmented file was written before anybody knew the length.
    if (!list.edits.empty() && reader.find(fourcc("mvex"), *moov))
      list.edits.back().segment_duration = 0;
    return list.edits.empty() ? std::nullopt : std::optional<EditList>(std::move(list));
  }
  return std::nullopt;
}

EditTimeline::EditTimeline(const EditList& list) {
  const auto to_media = [&list](std::int64_t movie_time) {
    const auto scaled = static_cast<__int128>(movie_time) * list.media_timescale;
    const auto rounded = (scaled + list.movie_timescale / 2) / list.movie_timescale;
    return static_cast<std::int64_t>(std::min<__int128>(rounded, kMaxTime));
  };
  std::int64_t movie_time = 0;
  bool is_open_ended = false;
  for (const Edit& edit : list.edits) {
    const std::int64_t start = to_media(movie_time);
    movie_time = std::min(movie_time + edit.segment_duration, kMaxTime);
    if (edit.media_time < 0) continue;
    const bool to_end = edit.segment_duration == 0;
    is_open_ended = is_open_ended || to_end;
    segments_.push_back({edit.media_time,
                         to_end ? kNever : edit.media_time + to_media(edit.segment_duration),
                         start});
  }
  if (!segments_.empty() && !is_open_ended) duration_ = to_media(movie_time) - start();
}

EditTimeline::Time EditTimeline::present(std::int64_t composition_time) const noexcept {
  if (segments_.empty()) return {composition_time, true};
  const Segment* before = &segments_.front();
  for (const Segment& segment : segments_) {
    if (composition_time < segment.media_start) continue;
    if (composition_time < segment.media_end) {
      return {segment.start + (composition_time - segment.media_start), true};
    }
    if (before->media_start > composition_time || segment.media_start > before->media_start) {
      before = &segment;
    }
  }
  return {before->start + (composition_time - before->media_start), false};
}

std::int64_t EditTimeline::shift_dts(std::int64_t dts) const noexcept {
  if (segments_.empty()) return dts;
  return dts - segments_.front().media_start + segments_.front().start;
}

std::int64_t EditTimeline::composition_time(std::int64_t pts) const noexcept {
  if (segments_.empty()) return pts;
  const Segment* shown = &segments_.front();
  for (const Segment& segment : segments_) {
    if (segment.start <= pts) shown = &segment;
  }
  return pts - shown->start + shown->media_start;
}

}  // namespace cope::media
