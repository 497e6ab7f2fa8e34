#include "cope/h264/slice_parser.h"

#include "cope/base/cpu_features.h"
#include "cope/h264/slice_parser_impl.h"

namespace cope::h264 {

SliceParser find_slice_parser() noexcept {
  static const SliceParser found = [] {
    const SliceParser v3 = slice_parser_x86_64_v3();
    return v3 != nullptr && has_x86_64_v3() ? v3 : &parse_slice<>;
  }();
  return found;
}

}  // namespace cope::h264
