#include "cope/h264/slice_parser.h"

#include "cope/h264/slice_parser_impl.h"

namespace cope::h264 {

SliceParser find_slice_parser() noexcept {
  static const SliceParser found = []() -> SliceParser {
#if defined(__x86_64__)
    const SliceParser v3 = slice_parser_x86_64_v3();
    const bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
    if (v3 != nullptr && has_v3) return v3;
#endif
    return &parse_slice<>;
  }();
  return found;
}

}  // namespace cope::h264
