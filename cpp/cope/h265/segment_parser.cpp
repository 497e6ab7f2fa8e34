#include "cope/h265/segment_parser.h"

#include "cope/base/cpu_features.h"
#include "cope/h265/segment_parser_impl.h"

namespace cope::h265 {

SegmentParser find_segment_parser() noexcept {
  static const SegmentParser found = [] {
    const SegmentParser v3 = segment_parser_x86_64_v3();
    return v3 != nullptr && has_x86_64_v3() ? v3 : &parse_segment;
  }();
  return found;
}

}  // namespace cope::h265
