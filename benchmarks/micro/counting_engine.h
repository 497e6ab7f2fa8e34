#pragma once

#include <cstdint>

#include "cope/entropy/cabac_engine.h"

namespace cope::bench {

/// The arithmetic decoding engine with a count of the bins that went through it.
class CountingEngine : public entropy::CabacEngine {
 public:
  using CabacEngine::CabacEngine;

  unsigned decision(entropy::ContextWord& context) noexcept {
    ++num_bins;
    return CabacEngine::decision(context);
  }
  unsigned decision(entropy::ContextWord word, entropy::ContextWord& context) noexcept {
    ++num_bins;
    return CabacEngine::decision(word, context);
  }
  unsigned bypass() noexcept {
    ++num_bins;
    return CabacEngine::bypass();
  }
  unsigned bypass_bins(unsigned n) noexcept {
    num_bins += n;
    return CabacEngine::bypass_bins(n);
  }
  bool terminate() noexcept {
    ++num_bins;
    return CabacEngine::terminate();
  }

  static inline std::int64_t num_bins = 0;
};

}  // namespace cope::bench
