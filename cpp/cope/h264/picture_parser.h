#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/h264/coded_picture.h"
#include "cope/h264/slice_parser.h"
#include "cope/prim/picture_primitives.h"

namespace cope::h264 {

/// What pass 1 leaves for pass 2: reference indices and vector differences as coded
/// (motion_syntax.h).
struct MotionSyntax;

/// How the parse of one picture went.
struct ParseReport {
  std::int32_t num_blocks_lost = 0;  ///< macroblocks marked BlockType::kLost
  std::int32_t num_motion_lost = 0;  ///< macroblocks marked kMotionLost
  std::int32_t num_slices_damaged = 0;
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
  Limits limits{};                ///< of levels and of time; the rest was checked with the headers
};

/// Pass 1: entropy-decodes every slice into `job.picture` (all but the motion arrays) and
/// `job.motion_syntax`. Needs no other picture. One instance per thread: it owns neighbour state.
class PictureParser {
 public:
  explicit PictureParser(SliceParser parse_slice = find_slice_parser());
  ~PictureParser();
  PictureParser(const PictureParser&) = delete;
  PictureParser& operator=(const PictureParser&) = delete;

  void parse(PictureJob& job, const ParseOptions& options);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
  SliceParser parse_slice_;
};

/// Finds a picture, already derived, by decode_index; null when it is not at hand.
using PictureLookup = const prim::PicturePrimitives* (*)(void* context, std::int64_t decode_index);

/// Pass 2: derives the motion vectors of `job.picture` (8.4.1). Direct modes look at the collocated
/// picture, so pictures pass here in decoding order. A collocated picture that is missing is
/// treated as intra coded, and the blocks for which that matters are marked kMotionLost.
void derive_motion(PictureJob& job, PictureLookup lookup, void* lookup_context);

}  // namespace cope::h264
