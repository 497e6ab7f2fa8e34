// Start code search, emulation prevention and Exp-Golomb codes.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "cope/bits/annex_b.h"
#include "cope/bits/bit_reader.h"
#include "cope/bits/rbsp.h"
#include "random_bytes.h"

namespace {

constexpr std::size_t kBytes = 1 << 18;

void BM_SplitAnnexB(benchmark::State& state) {
  std::vector<std::uint8_t> bytes = cope::bench::random_bytes(kBytes);
  for (std::size_t i = 0; i + 3 < kBytes; i += 8192) {  // a NAL unit per 8 kB
    bytes[i] = bytes[i + 1] = 0;
    bytes[i + 2] = 1;
  }
  std::vector<std::span<const std::uint8_t>> nals;
  for (auto _ : state) {
    cope::bits::split_annex_b({bytes.data(), kBytes}, nals);
    benchmark::DoNotOptimize(nals.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBytes));
}
BENCHMARK(BM_SplitAnnexB);

/// The bound of a start code search: it looks at every byte for a zero.
void BM_Memchr(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes(kBytes, 1);
  for (auto _ : state) benchmark::DoNotOptimize(std::memchr(bytes.data(), 0, kBytes));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBytes));
}
BENCHMARK(BM_Memchr);

void BM_UnescapeRbsp(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes = cope::bench::random_bytes(kBytes);
  std::vector<std::uint8_t> rbsp(kBytes);
  for (auto _ : state) {
    benchmark::DoNotOptimize(cope::bits::unescape_rbsp({bytes.data(), kBytes}, rbsp.data()));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBytes));
}
BENCHMARK(BM_UnescapeRbsp);

void BM_Ue(benchmark::State& state) {
  // Random bits are Exp-Golomb codes with the lengths for which the code is made.
  const std::vector<std::uint8_t> bytes = cope::bench::random_bytes(kBytes);
  std::int64_t num_codes = 0;
  for (auto _ : state) {
    cope::bits::BitReader reader(bytes.data(), kBytes);
    std::uint32_t sum = 0;
    while (!reader.overrun()) {
      sum += reader.ue();
      ++num_codes;
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(num_codes);
}
BENCHMARK(BM_Ue);

}  // namespace
