#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/pipeline/header_ahead.h"
#include "cope/pipeline/header_source.h"
#include "cope/pipeline/parse_queue.h"
#include "cope/pipeline/timeline.h"
#include "cope/prim/picture_primitives.h"

namespace cope::pipeline {

/// What to do with a picture of which a part cannot be parsed.
enum class OnError : std::uint8_t {
  kRaise,    ///< stop with the error
  kSkip,     ///< leave the picture out and count it
  kConceal,  ///< hand it out with its lost blocks marked, and count it
};

struct ReadOptions {
  int threads = 0;  ///< 0: `available_cpus()`
  OnError on_error = OnError::kConceal;
};

/// What was read, what was made of it, and where the time went.
struct ReadStats {
  std::int64_t num_packets = 0;
  std::int64_t num_packets_corrupt = 0;  ///< damaged by the container's account, or unreadable
  std::int64_t num_nal_units = 0;
  std::int64_t num_nal_units_damaged = 0;   ///< dropped
  std::int64_t num_nal_units_skipped = 0;   ///< of other layers and views, auxiliary, redundant
  std::int64_t num_nal_units_repeated = 0;  ///< delivered twice
  std::int64_t num_frames_lost = 0;         ///< reference frames that never came, as far as known
  std::int64_t num_pictures = 0;            ///< coded pictures met
  std::int64_t num_parsed = 0;              ///< of which the slice data was parsed
  std::int64_t num_decoded = 0;             ///< decoded to pixels
  std::int64_t num_skipped = 0;             ///< damaged and left out
  std::int64_t num_concealed_pictures = 0;  ///< damaged and handed out
  std::int64_t num_blocks_lost = 0;  ///< blocks of concealed pictures that could not be parsed
  std::int64_t num_motion_lost = 0;  ///< that were, but have no vectors for a loss elsewhere
  Status first_error;                ///< the first damage met
  double seconds_demux = 0.0;        ///< reading and headers
  double seconds_parse = 0.0;        ///< waiting for slice data to be parsed
  double seconds_decode = 0.0;       ///< pixels
  double seconds_compose = 0.0;      ///< fields
};

/// Number of threads that an option asks for.
int resolve_threads(int threads);

/// Copies what the headers counted into `stats`.
void add_counts(const SourceCounts& counts, ReadStats& stats);

/// Applies the damage policy to a parsed picture and counts it.
/// \param keep  whether the picture is to be handed out
Status apply_policy(const Damage& damage, OnError on_error, ReadStats& stats, bool& keep);

/// Every picture of a stream, parsed, in decoding order. Not thread-safe.
class PictureSource {
 public:
  PictureSource(std::unique_ptr<HeaderSource> headers, const ReadOptions& options,
                bool keep_coefficients);

  /// One parsed picture and when it is shown.
  struct Item {
    std::shared_ptr<const prim::PicturePrimitives> picture;
    double seconds = 0.0;
    bool is_discard = false;  ///< outside the edit list
    ReferenceTimes times;
  };

  /// The next picture. kEndOfStream when none is left.
  Result<Item> next(const Poll& poll);

  ReadStats stats() const;
  /// What is being read. Pre: not released.
  const HeaderSource& headers() const noexcept { return headers_.headers(); }
  /// Gives the demuxer back for another pass; this object is of no more use.
  std::unique_ptr<HeaderSource> release();

 private:
  Status fill(const Poll& poll);

  struct Queued {
    double seconds;
    bool is_discard;
  };

  ReadOptions options_;
  bool keep_coefficients_;
  TaskCrew crew_;
  HeaderAhead headers_;
  std::unique_ptr<ParseQueue> queue_;  // clears the crew, so it goes before what tasks use
  std::deque<Queued> queued_;
  PictureTimeline timeline_;
  HeaderPicture next_;
  Status end_;  // why no more headers come
  ReadStats stats_;
};

}  // namespace cope::pipeline
