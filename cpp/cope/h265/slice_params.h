#pragma once

#include "cope/h265/coded_picture.h"
#include "cope/h265/slice_context.h"

namespace cope::h265 {

/// What parsing needs of a segment's header and parameter sets, but for the members that are ours.
/// It points into the PPS.
SliceParams slice_params(const CodedSegment& segment);

}  // namespace cope::h265
