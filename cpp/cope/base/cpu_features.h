#pragma once

namespace cope {

/// Whether this machine runs code compiled for x86-64-v3.
inline bool has_x86_64_v3() noexcept {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

}  // namespace cope
