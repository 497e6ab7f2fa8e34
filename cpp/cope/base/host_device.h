#pragma once

/// Marks a function as callable from host and device code. Empty for a host compiler.
///
/// Everything so marked allocates nothing, throws nothing, has no virtual call and touches only
/// memory that its caller passed in, so that the same slice parser runs in a CPU task or a GPU
/// thread.
#if defined(__CUDACC__)
#define COPE_HD __host__ __device__
#define COPE_FORCE_INLINE __forceinline__
#else
#if defined(COPE_ABI_TAG)  // a source file compiled for another instruction set than the rest
#define COPE_HD [[gnu::abi_tag(COPE_ABI_TAG)]]
#else
#define COPE_HD
#endif
#define COPE_FORCE_INLINE inline __attribute__((always_inline))
#endif

/// A table fixed by a standard that host and device code both index. Declared at namespace scope of
/// a header: `COPE_HD_TABLE std::uint8_t kTable[2] = {1, 2};`. The device gets a copy of its own in
/// global memory, where a warp's different indices cost no serialisation as in constant memory.
#if defined(__CUDA_ARCH__)
#define COPE_HD_TABLE static __device__ constexpr
#else
#define COPE_HD_TABLE inline constexpr
#endif

#define COPE_LIKELY(x) __builtin_expect(!!(x), 1)
#define COPE_UNLIKELY(x) __builtin_expect(!!(x), 0)
