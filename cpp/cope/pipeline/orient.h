#pragma once

#include <cstdint>

#include "cope/pipeline/window_task.h"

namespace cope::pipeline {

/// Turns the fields of a window as its picture is displayed: mirrored left-right first, then
/// clockwise by `rotation` degrees (0, 90, 180 or 270). Vectors turn with their cells.
void orient(WindowItem& item, bool is_mirrored, std::int32_t rotation);

}  // namespace cope::pipeline
