#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/h265/coded_picture.h"
#include "cope/prim/picture_primitives.h"

namespace cope::h265 {

/// What pass 1 leaves for pass 2: prediction units as coded (motion_syntax.h).
struct MotionSyntax;

/// How the parse of one picture went.
struct ParseReport {
  std::int32_t num_blocks_lost = 0;     ///< blocks of the block map marked BlockType::kLost
  std::int32_t num_motion_lost = 0;     ///< blocks parsed, but their vectors depend on a loss
  std::int32_t num_slices_damaged = 0;  ///< slice segments
  Status first_error;
};

/// How far pass 2 is.
struct MotionProgress {
  bool is_begun = false;
  std::size_t num_units = 0;  ///< prediction units whose motion is derived
  std::int32_t num_lost = 0;  ///< blocks whose motion depends on a loss in another picture
};

/// A coded picture on its way to primitives. Reused from picture to picture.
struct PictureJob {
  PictureJob();
  ~PictureJob();
  PictureJob(PictureJob&&) noexcept;
  PictureJob& operator=(PictureJob&&) noexcept;

  CodedPicture coded;                                ///< stage 0 (HeaderDecoder) fills it
  std::shared_ptr<prim::PicturePrimitives> picture;  ///< the caller puts one from its pool here
  std::unique_ptr<MotionSyntax> motion_syntax;
  MotionProgress motion_progress;
  ParseReport report;
};

struct ParseOptions {
  bool keep_coefficients = true;  ///< false: levels are parsed but not stored
  Limits limits{};                ///< of levels and of time; the rest was checked with the headers
};

/// Pass 1: entropy-decodes every slice segment into `job.picture` (all but the motion arrays) and
/// `job.motion_syntax`. Needs no other picture. One instance per thread: it owns neighbour state.
class PictureParser {
 public:
  PictureParser();
  ~PictureParser();
  PictureParser(const PictureParser&) = delete;
  PictureParser& operator=(const PictureParser&) = delete;

  void parse(PictureJob& job, const ParseOptions& options);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

/// Finds a picture, already derived, by decode_index; null when it is not at hand.
using PictureLookup = const prim::PicturePrimitives* (*)(void* context, std::int64_t decode_index);

/// Pass 2: derives the motion vectors of `job.picture` (8.5.3.2). Temporal prediction looks at the
/// collocated picture, so pictures pass here in decoding order. A collocated picture that is
/// missing is treated as intra coded, and the blocks that it would predict are marked kMotionLost.
///
/// It may be done in steps, while the collocated pictures are in work themselves.
/// \param rows  luma rows of the collocated pictures whose motion is final; nothing below is
/// derived
/// \returns luma rows of this picture whose motion is final; prim::kAllRows when all is done, which
///          takes `rows` of prim::kAllRows
std::int32_t derive_motion(PictureJob& job, PictureLookup lookup, void* lookup_context,
                           std::int32_t rows = prim::kAllRows);

}  // namespace cope::h265
