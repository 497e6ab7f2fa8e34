// Bins per second of the arithmetic decoder.
//
// Decoding random bits draws every bin from the probability that its context holds: the mix of
// likely and unlikely bins is that of a stream which the contexts model well.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cope/entropy/cabac_engine.h"
#include "random_bytes.h"

namespace {

constexpr std::size_t kBytes = 1 << 16;
constexpr int kBins = 1 << 18;  // at most a bit each: never runs out of data

void BM_Decision(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes = cope::bench::random_bytes(kBytes);
  std::array<cope::entropy::ContextWord, 64> contexts{};
  for (auto _ : state) {
    contexts.fill(cope::entropy::kBinWords.word[20 << 1]);
    cope::entropy::CabacEngine engine(bytes.data(), bytes.data() + kBytes);
    unsigned previous = 0;
    for (int i = 0; i < kBins; ++i) {
      // The next context depends on the bin before, as in significance maps and level prefixes.
      previous = engine.decision(contexts[(static_cast<unsigned>(i) * 5 + previous * 8) & 63]);
    }
    benchmark::DoNotOptimize(previous);
  }
  state.SetItemsProcessed(state.iterations() * kBins);
}
BENCHMARK(BM_Decision);

void BM_Bypass(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes = cope::bench::random_bytes(kBytes);
  for (auto _ : state) {
    cope::entropy::CabacEngine engine(bytes.data(), bytes.data() + kBytes);
    unsigned sum = 0;
    for (int i = 0; i < kBins; ++i) sum += engine.bypass();
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * kBins);
}
BENCHMARK(BM_Bypass);

}  // namespace
