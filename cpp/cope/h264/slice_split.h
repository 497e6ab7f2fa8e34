#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cope/h264/picture_parser.h"

namespace cope::h264 {

/// Parses the slices of one picture in parts, each with a parser of its own, so that several
/// threads may take part. The result is what one `PictureParser` makes of the whole picture.
///
/// For pictures whose slices follow each other in raster order and are whole; a picture in which
/// anything is damaged is for one parser to judge.
class SliceSplit {
 public:
  /// Fewer bytes are parsed before another thread wakes up.
  static constexpr std::size_t kMinPartBytes = 2048;

  /// Divides the slices of `job.coded` into parts of about the same size, `max_parts` at most.
  /// \returns how many; 1 when the picture is better parsed as a whole
  std::size_t begin(const PictureJob& job, std::size_t max_parts,
                    std::size_t min_part_bytes = kMinPartBytes);

  /// Parses a part; each in any thread, while `job` of `begin` stays as it is.
  void parse(std::size_t part, const PictureJob& job, const ParseOptions& options);

  /// Puts the parts together into `job`. False when one is not whole: `job` has then to be parsed.
  [[nodiscard]] bool join(PictureJob& job, const ParseOptions& options) const;

 private:
  struct Part {
    PictureJob job;
    PictureParser parser;
    std::size_t first_slice = 0;
    std::size_t num_slices = 0;
    std::int32_t first_mb = 0;  // CurrMbAddr
    std::int32_t end_mb = 0;
  };

  std::vector<std::unique_ptr<Part>> parts_;
  std::size_t num_parts_ = 0;
};

}  // namespace cope::h264
