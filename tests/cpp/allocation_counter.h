#pragma once

#include <atomic>
#include <cstdint>

namespace cope {

/// What this test program has asked of the heap so far (allocation_counter_test.cpp).
extern std::atomic<std::int64_t> num_allocations;

}  // namespace cope
