#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "cope/cpu/fields.h"
#include "cope/pipeline/header_source.h"
#include "cope/prim/picture_primitives.h"
#include "ndarray.h"

namespace cope::native {

/// What Python's `Picture` holds: a share in the primitives.
struct NativePicture {
  std::shared_ptr<const prim::PicturePrimitives> primitives;
  double seconds = 0.0;
  bool is_discard = false;
  std::vector<double>
      times;  ///< presentation times from `first_time` to itself, references among them
  std::int64_t first_time = 0;

  cpu::PictureTimes picture_times() const noexcept { return {times, first_time}; }
};

/// The members of `PictureInfo`, by name.
NamedValues to_dict(const prim::PictureInfo& info);

}  // namespace cope::native
