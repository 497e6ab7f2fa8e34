#pragma once

#include <cstdint>

#include "cope/h264/coded_picture.h"
#include "cope/h264/motion_syntax.h"
#include "cope/h264/picture_parser.h"
#include "cope/prim/picture_primitives.h"

namespace cope::h264 {

/// Finds the macroblocks of a picture, its motion derived, of which the vectors cannot be known
/// because of a loss in another picture: direct-predicted ones whose collocated block is missing
/// and matters, and those that may be predicted from them. They get the flag kMotionLost, and no
/// vectors.
///
/// Covers every such macroblock, and some that would have come out right: whether a neighbour's
/// vector decides a median is not asked.
///
/// \param syntax  [CurrMbAddr]
/// \return        number of macroblocks
std::int32_t mark_lost_motion(const CodedPicture& coded, prim::PicturePrimitives& picture,
                              const MbMotionSyntax* syntax, PictureLookup lookup,
                              void* lookup_context);

}  // namespace cope::h264
