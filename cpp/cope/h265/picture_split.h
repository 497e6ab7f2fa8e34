#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cope/base/deadline.h"
#include "cope/h265/picture_arrays.h"
#include "cope/h265/picture_parser.h"
#include "cope/h265/substreams.h"
#include "cope/h265/wavefront.h"

namespace cope::h265 {

/// Parses one picture by several threads: rows of a wavefront, tiles, slices. The result is what
/// one `PictureParser` makes of the whole picture.
///
/// For pictures of which all is there and the entry points are right; anything else is for one
/// parser to judge.
class PictureSplit {
 public:
  /// Fewer bytes are parsed before another thread wakes up.
  static constexpr std::size_t kMinPartBytes = 2048;

  /// Gets ready for `job.coded`, and `job.picture`.
  /// \returns for how many threads there is work, `max_parts` at most; 1 when the picture is better
  ///          parsed as a whole
  std::size_t begin(PictureJob& job, const ParseOptions& options, std::size_t max_parts,
                    std::size_t min_part_bytes = kMinPartBytes);

  /// Takes part until nothing is left to begin. Any thread, several at a time.
  void parse() noexcept;

  /// Once all have returned. False when the picture is not whole: `job` has then to be parsed.
  [[nodiscard]] bool join(PictureJob& job, const ParseOptions& options) const;

 private:
  /// Consecutive substreams, parsed one after another by one thread: a row of a wavefront; or else
  /// what lies between starts of tiles and of slices.
  struct Strand {
    std::size_t first_substream = 0;
    std::size_t num_substreams = 0;
    std::int64_t num_bytes = 0;
    std::int32_t num_ctbs = 0;
    NeighbourState neighbours;
    EntropyState entropy;
    SegmentCarry carry;
    PictureArrays arrays;  // its part of the picture's
    OutputCursor cursor;
  };

  std::size_t find_strands();
  bool size_output(PictureJob& job, const ParseOptions& options);
  bool parse_substream(std::size_t strand_index, std::size_t substream) noexcept;

  std::vector<Substream> substreams_;
  std::vector<std::unique_ptr<Strand>> strands_;  // the first `num_strands_` are in use
  std::size_t num_strands_ = 0;
  std::vector<SliceParams> params_;  // [segment]
  CtbSliceIds ctb_slice_ids_;
  std::uint32_t first_slice_id_ = 0;
  NeighbourState neighbours_;   // of a wavefront, which has them in common
  EntropyState row_sync_ = {};  // likewise
  const CodedPicture* coded_ = nullptr;
  Wavefront wavefront_;
  std::optional<Deadline> deadline_;  // behind which the picture is left to one parser's
};

}  // namespace cope::h265
