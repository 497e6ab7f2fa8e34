#include "reader.h"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "errors.h"
#include "ndarray.h"
#include "picture.h"
#include "py_byte_source.h"

namespace nb = nanobind;

namespace cope::native {
namespace {

// Lets a pending KeyboardInterrupt through, at most 20 times a second.
pipeline::Poll make_poll() {
  using Clock = std::chrono::steady_clock;
  return [last = Clock::now()]() mutable {
    const Clock::time_point now = Clock::now();
    if (now - last < std::chrono::milliseconds(50)) return;
    last = now;
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  };
}

template <class T>
nb::object value_or_none(const std::optional<T>& value) {
  return value ? nb::cast(*value) : nb::none();
}

}  // namespace

// One thread at a time, in the process that opened the video, and not from within a file object's
// read().
class Reader::Use {
 public:
  explicit Use(Reader& reader, bool may_be_in_child = false) : reader_(reader) {
    if (getpid() != reader.pid_ && !may_be_in_child) {
      throw std::runtime_error(
          "this VideoReader was opened before a fork; open it in the process that reads");
    }
    if (reader.in_use_.test_and_set()) {
      throw std::runtime_error("this VideoReader is being read by another thread");
    }
  }
  ~Use() { reader_.in_use_.clear(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  Reader& reader_;
};

Reader::Reader(nb::object source, std::optional<std::int32_t> stream_index,
               const pipeline::ReadOptions& options, const Limits& limits)
    : source_(std::move(source)), options_(options), pid_(getpid()) {
  media::Source media_source;
  ByteArray bytes;
  if (nb::isinstance<nb::str>(source_)) {
    const nb::object encoded = nb::steal(PyUnicode_EncodeFSDefault(source_.ptr()));
    if (!encoded.is_valid()) throw nb::python_error();
    filename_ = nb::cast<nb::bytes>(encoded).c_str();
    media_source = media::Source::from_location(filename_);
  } else if (PyObject_CheckBuffer(source_.ptr())) {
    bytes_ = nb::cast<ByteArray>(source_);
    media_source = media::Source::from_bytes({bytes_->data(), bytes_->size()});
  } else {
    media_source = media::Source::from_byte_source(std::make_shared<PyByteSource>(source_));
  }
  media::DemuxerOptions demuxer_options;
  demuxer_options.stream_index = stream_index;
  demuxer_options.limits = limits;
  demuxer_options.cancel = closing_.get_token();
  // A server that stops answering must not stop the program; files may take their time.
  if (media_source.is_url()) demuxer_options.timeout = std::chrono::seconds(30);

  const nb::gil_scoped_release release;
  auto headers = pipeline::HeaderSource::open(media_source, demuxer_options);
  if (!headers.ok()) throw StatusError(headers.status(), filename_);
  headers_ = std::move(headers).value();
}

NamedValues Reader::info() {
  const Use use(*this);
  const media::StreamInfo& info = headers_               ? headers_->info()
                                  : pictures_ != nullptr ? pictures_->headers().info()
                                                         : windows_->headers().info();
  NamedValues d;
  d["stream_index"] = info.stream_index;
  d["codec"] = info.codec_name.c_str();
  d["profile_idc"] = info.profile;
  d["level_idc"] = info.level;
  d["width"] = info.width;
  d["height"] = info.height;
  d["pix_fmt"] = info.pix_fmt.c_str();
  d["rotation"] = info.rotation;
  d["is_mirrored"] = info.is_mirrored;
  d["sample_aspect_ratio"] =
      nb::make_tuple(info.sample_aspect_ratio.num, info.sample_aspect_ratio.den);
  d["time_base"] = nb::make_tuple(info.time_base.num, info.time_base.den);
  d["average_rate"] = nb::make_tuple(info.average_rate.num, info.average_rate.den);
  d["duration_seconds"] = value_or_none(info.duration_seconds);
  d["num_frames"] = value_or_none(info.num_frames);
  d["bit_rate"] = value_or_none(info.bit_rate);
  d["container"] = info.container.c_str();
  return d;
}

NamedValues Reader::stats() {
  const Use use(*this, true);  // closing asks for them
  pipeline::ReadStats stats;
  if (pictures_) {
    stats = pictures_->stats();
  } else if (windows_) {
    stats = windows_->stats();
  } else {
    pipeline::add_counts(headers_->counts(), stats);
  }
  NamedValues d;
  d["num_packets"] = stats.num_packets;
  d["num_packets_corrupt"] = stats.num_packets_corrupt;
  d["num_nal_units"] = stats.num_nal_units;
  d["num_nal_units_damaged"] = stats.num_nal_units_damaged;
  d["num_nal_units_skipped"] = stats.num_nal_units_skipped;
  d["num_nal_units_repeated"] = stats.num_nal_units_repeated;
  d["num_frames_lost"] = stats.num_frames_lost;
  d["num_pictures"] = stats.num_pictures;
  d["num_parsed"] = stats.num_parsed;
  d["num_decoded"] = stats.num_decoded;
  d["num_skipped"] = stats.num_skipped;
  d["num_concealed_pictures"] = stats.num_concealed_pictures;
  d["num_blocks_lost"] = stats.num_blocks_lost;
  d["num_motion_lost"] = stats.num_motion_lost;
  d["first_error"] =
      stats.first_error.ok() ? nb::none() : nb::object(nb::str(message(stats.first_error).c_str()));
  d["seconds_demux"] = stats.seconds_demux;
  d["seconds_parse"] = stats.seconds_parse;
  d["seconds_compose"] = stats.seconds_compose;
  d["seconds_decode"] = stats.seconds_decode;
  return d;
}

// Ends the pass under way and goes back to the first packet.
void Reader::rewind() {
  if (pictures_) headers_ = pictures_->release();
  if (windows_) headers_ = windows_->release();
  pictures_.reset();
  windows_.reset();
  header_ = {};
  if (!is_fresh_) {
    const nb::gil_scoped_release release;
    throw_if_error(headers_->restart());
  }
  is_fresh_ = false;
}

void Reader::start_headers() {
  const Use use(*this);
  rewind();
}

void Reader::start_pictures(bool coefficients) {
  const Use use(*this);
  rewind();
  pictures_ =
      std::make_unique<pipeline::PictureSource>(std::move(headers_), options_, coefficients);
}

void Reader::start_windows(const pipeline::WindowOptions& options) {
  const Use use(*this);
  rewind();
  windows_ = std::make_unique<pipeline::WindowSource>(std::move(headers_), options_, options);
}

std::optional<NamedValues> Reader::next_header() {
  const Use use(*this);
  Status status;
  {
    const nb::gil_scoped_release release;
    status = headers_->next(header_, options_.on_error == pipeline::OnError::kRaise, make_poll());
  }
  if (status.code == StatusCode::kEndOfStream) return std::nullopt;
  throw_if_error(status);
  pipeline::CodedUnit& unit = *header_.unit;
  NamedValues d = to_dict(unit.info());
  d["seconds"] = header_.seconds;
  d["is_discard"] = header_.is_discard;
  std::vector<const char*> names;
  unit.append_features(names);
  nb::list features;
  for (const char* name : names) features.append(name);
  d["features"] = features;
  const Status supported = unit.check_supported();
  d["unsupported"] = supported.ok() ? nb::none() : nb::object(nb::str(supported.element));
  const pipeline::CodingProfile profile = unit.coding_profile();
  d["profile_idc"] = profile.profile_idc;
  d["constraint_flags"] = profile.constraint_flags;
  d["level_idc"] = profile.level_idc;
  return d;
}

std::optional<NativePicture> Reader::next_picture() {
  const Use use(*this);
  const nb::gil_scoped_release release;
  auto next = pictures_->next(make_poll());
  if (next.status().code == StatusCode::kEndOfStream) return std::nullopt;
  throw_if_error(next.status());
  return NativePicture{std::move(next->picture), next->seconds, next->is_discard,
                       std::move(next->times)};
}

std::optional<NamedValues> Reader::next_window() {
  const Use use(*this);
  std::unique_ptr<pipeline::WindowItem> item;
  {
    const nb::gil_scoped_release release;
    auto next = windows_->next(make_poll());
    if (next.status().code == StatusCode::kEndOfStream) return std::nullopt;
    throw_if_error(next.status());
    item = std::move(next).value();
  }
  NamedValues d;
  d["timestamp"] = item->step.seconds;
  d["frame_index"] = item->step.frame_index;
  if (item->step.kind == pipeline::PlanStep::Kind::kKeyframe) {
    d["image"] = take(std::move(item->image.data), {3, static_cast<std::size_t>(item->image.height),
                                                    static_cast<std::size_t>(item->image.width)});
    return d;
  }
  const auto height = static_cast<std::size_t>(item->height);
  const auto width = static_cast<std::size_t>(item->width);
  d["start"] = item->step.start_seconds;
  d["motion"] = take(std::move(item->motion), {2, height, width});
  d["valid"] = take(std::move(item->valid), {height, width});
  d["intra"] = take(std::move(item->intra), {height, width});
  d["lost"] = take(std::move(item->lost), {height, width});
  d["scaled"] = take(std::move(item->scaled), {height, width});
  d["residual"] =
      take(std::move(item->residual), {3, static_cast<std::size_t>(item->residual_height),
                                       static_cast<std::size_t>(item->residual_width)});
  d["saliency"] = take(std::move(item->saliency), {3, height, width});
  return d;
}

// In a forked child the threads that worked on the pass are gone, and may have left anything half
// done: it is not touched again.
void Reader::abandon_in_child() noexcept {
  if (getpid() == pid_) return;
  static_cast<void>(pictures_.release());
  static_cast<void>(windows_.release());
  static_cast<void>(headers_.release());
}

Reader::~Reader() {
  abandon_in_child();
  closing_.request_stop();
}

// Also in a forked child, which has nothing to wait for.
void Reader::close() {
  if (in_use_.test_and_set()) {
    throw std::runtime_error("this VideoReader is being read by another thread");
  }
  abandon_in_child();
  closing_.request_stop();
  {
    // What is being read or parsed right now comes to its end first.
    const nb::gil_scoped_release release;
    pictures_.reset();
    windows_.reset();
    headers_.reset();
  }
  header_ = {};
  bytes_.reset();
  source_ = nb::none();
  in_use_.clear();
}

}  // namespace cope::native
