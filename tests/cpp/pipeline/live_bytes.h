#pragma once

#include <atomic>
#include <cstdint>

namespace cope::pipeline {

/// What this test program holds of the C++ heap, and the most it held since `peak_bytes` was last
/// set (live_bytes_test.cpp replaces operator new and allocate_pages). What libav* and the C
/// library allocate is not in it.
extern std::atomic<std::int64_t> live_bytes;
extern std::atomic<std::int64_t> peak_bytes;

}  // namespace cope::pipeline
