// The segment parser again, compiled for x86-64-v3 (CMakeLists.txt). Its functions carry an ABI
// tag: without one the linker would take either copy of an inline function for both.
#if defined(__AVX2__) && defined(__BMI2__)
#define COPE_ABI_TAG "x86_64_v3"
#endif
#include "cope/h265/segment_parser.h"

#if defined(COPE_ABI_TAG)
#include "cope/h265/segment_parser_impl.h"
#endif

namespace cope::h265 {

SegmentParser segment_parser_x86_64_v3() noexcept {
#if defined(COPE_ABI_TAG)
  return &parse_segment;
#else
  return nullptr;
#endif
}

}  // namespace cope::h265
