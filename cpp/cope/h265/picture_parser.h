#pragma once

#include <cstdint>
#include <memory>

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

/// A coded picture on its way to primitives. Reused from picture to picture.
struct PictureJob {
  PictureJob();
  ~PictureJob();
  PictureJob(PictureJob&&) noexcept;
  PictureJob& operator=(PictureJob&&) noexcept;

  CodedPicture coded;                                ///< stage 0 (HeaderDecoder) fills it
  std::shared_ptr<prim::PicturePrimitives> picture;  ///< the caller puts one from its pool here
  std::unique_ptr<MotionSyntax> motion_syntax;
  ParseReport report;
};

struct ParseOptions {
  bool keep_coefficients = true;  ///< false: levels are parsed but not stored
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
void derive_motion(PictureJob& job, PictureLookup lookup, void* lookup_context);

}  // namespace cope::h265
