#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "cope/pipeline/timeline.h"
#include "cope/prim/picture_primitives.h"
#include "ndarray.h"

namespace cope::native {

/// What Python's `Picture` holds: a share in the primitives.
struct NativePicture {
  std::shared_ptr<const prim::PicturePrimitives> primitives;
  double seconds = 0.0;
  bool is_discard = false;
  pipeline::ReferenceTimes times;
};

/// The members of `PictureInfo`, by name.
NamedValues to_dict(const prim::PictureInfo& info);

}  // namespace cope::native
