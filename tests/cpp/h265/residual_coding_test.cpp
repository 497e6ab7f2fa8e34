// residual_coding() against an encoder that follows the text of 7.3.8.11, 9.3.3 and 9.3.4 element
// by element, over random blocks and all tools of the range extensions.
#include "cope/h265/residual_coding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include "plain_cabac_encoder.h"

namespace cope::h265 {
namespace {

using Location = std::pair<int, int>;  // x, y

/// ScanOrder of 6.5.3 to 6.5.5.
std::vector<Location> scan_order(int log2, unsigned scanIdx) {
  const int size = 1 << log2;
  std::vector<Location> order;
  if (scanIdx == 0) {
    for (int diagonal = 0; diagonal < 2 * size - 1; ++diagonal) {
      for (int x = 0; x <= diagonal; ++x) {
        const int y = diagonal - x;
        if (x < size && y < size) order.emplace_back(x, y);
      }
    }
    return order;
  }
  for (int i = 0; i < size * size; ++i) {
    order.emplace_back(scanIdx == 1 ? i % size : i / size, scanIdx == 1 ? i / size : i % size);
  }
  return order;
}

struct Block {
  TransformBlock syntax;
  std::vector<int> levels;  // [yC * size + xC]
};

class PlainResidualWriter {
 public:
  explicit PlainResidualWriter(const SliceParams& slice) : s_(slice) {
    for (int i = 0; i < kNumContexts; ++i) {
      const int initValue = kCabacInitValue[0][i];  // of an I slice
      const int m = (initValue >> 4) * 5 - 45;
      const int n = ((initValue & 15) << 3) - 16;
      const int preCtxState = std::clamp((m * std::clamp(s_.SliceQpY, 0, 51) >> 4) + n, 1, 126);
      contexts_[i].valMps = preCtxState > 63;
      contexts_[i].pStateIdx =
          static_cast<unsigned>(preCtxState > 63 ? preCtxState - 64 : 63 - preCtxState);
    }
  }

  /// Writes the block; a sign that hiding decides is changed in it.
  void write(Block& block) {
    TransformBlock& b = block.syntax;
    const int log2 = static_cast<int>(b.log2TrafoSize);
    const int size = 1 << log2;
    const bool chroma = b.cIdx > 0;
    const bool bypass = b.cu_transquant_bypass_flag;
    if (s_.transform_skip_enabled_flag && !bypass && log2 <= s_.Log2MaxTransformSkipSize) {
      bin(kCtxTransformSkipFlag + chroma, b.transform_skip_flag);
    }
    if (!b.is_intra && s_.explicit_rdpcm_enabled_flag && (b.transform_skip_flag || bypass)) {
      bin(kCtxExplicitRdpcmFlag + chroma, b.explicit_rdpcm_flag);
      if (b.explicit_rdpcm_flag) {
        bin(kCtxExplicitRdpcmDirFlag + chroma, b.explicit_rdpcm_dir_flag);
      }
    }
    const auto sub_blocks = scan_order(log2 - 2, b.scanIdx);
    const auto in_block = scan_order(2, b.scanIdx);
    const auto level = [&](int i, int n) -> int& {
      const int x = sub_blocks[static_cast<std::size_t>(i)].first * 4 +
                    in_block[static_cast<std::size_t>(n)].first;
      const int y = sub_blocks[static_cast<std::size_t>(i)].second * 4 +
                    in_block[static_cast<std::size_t>(n)].second;
      return block.levels[static_cast<std::size_t>(y * size + x)];
    };
    int lastSubBlock = static_cast<int>(sub_blocks.size()) - 1;
    int lastScanPos = 15;
    while (level(lastSubBlock, lastScanPos) == 0) {
      if (--lastScanPos < 0) {
        lastScanPos = 15;
        --lastSubBlock;
      }
    }
    int LastX = sub_blocks[static_cast<std::size_t>(lastSubBlock)].first * 4 +
                in_block[static_cast<std::size_t>(lastScanPos)].first;
    int LastY = sub_blocks[static_cast<std::size_t>(lastSubBlock)].second * 4 +
                in_block[static_cast<std::size_t>(lastScanPos)].second;
    if (b.scanIdx == 2) std::swap(LastX, LastY);
    write_last(LastX, LastY, log2, chroma);

    std::vector<std::vector<bool>> coded(9, std::vector<bool>(9, false));  // [xS][yS]
    bool first_invocation = true;
    int greater1Ctx = 1;
    int lastGreater1Flag = 0;
    for (int i = lastSubBlock; i >= 0; --i) {
      const auto [xS, yS] = sub_blocks[static_cast<std::size_t>(i)];
      const auto uxS = static_cast<std::size_t>(xS), uyS = static_cast<std::size_t>(yS);
      const bool right = coded[uxS + 1][uyS], below = coded[uxS][uyS + 1];
      bool any = false;
      for (int n = 0; n < 16; ++n) any |= level(i, n) != 0;
      bool inferSbDcSigCoeffFlag = false;
      if (i < lastSubBlock && i > 0) {
        bin(kCtxCodedSubBlockFlag + (right || below) + 2 * chroma, any);
        inferSbDcSigCoeffFlag = true;
      } else {
        any = true;
      }
      coded[uxS][uyS] = any;
      if (!any) continue;
      std::vector<int> significant;
      for (int n = i == lastSubBlock ? lastScanPos : 15; n >= 0; --n) {
        const bool flag = level(i, n) != 0;
        const bool is_last = i == lastSubBlock && n == lastScanPos;
        if (!is_last && (n > 0 || !inferSbDcSigCoeffFlag)) {
          bin(kCtxSigCoeffFlag +
                  sig_inc(b, xS, yS, in_block[static_cast<std::size_t>(n)], right, below),
              flag);
          if (flag) inferSbDcSigCoeffFlag = false;
        }
        if (flag) significant.push_back(n);
      }
      if (significant.empty()) continue;

      int ctxSet = i == 0 || chroma ? 0 : 2;
      if (!first_invocation) {
        int lastGreater1Ctx = greater1Ctx;
        if (lastGreater1Ctx > 0) lastGreater1Ctx = lastGreater1Flag != 0 ? 0 : lastGreater1Ctx + 1;
        if (lastGreater1Ctx == 0) ++ctxSet;
      }
      bool escapeDataPresent = false;
      int lastGreater1ScanPos = -1;
      for (std::size_t k = 0; k < significant.size(); ++k) {
        const int magnitude = std::abs(level(i, significant[k]));
        if (k >= 8) {
          escapeDataPresent = true;
          continue;
        }
        if (k == 0) {
          greater1Ctx = 1;
        } else if (greater1Ctx > 0) {
          greater1Ctx = lastGreater1Flag != 0 ? 0 : greater1Ctx + 1;
        }
        lastGreater1Flag = magnitude > 1;
        bin(kCtxCoeffAbsLevelGreater1Flag + ctxSet * 4 + std::min(3, greater1Ctx) + 16 * chroma,
            magnitude > 1);
        first_invocation = false;
        if (magnitude > 1 && lastGreater1ScanPos < 0) {
          lastGreater1ScanPos = significant[k];
        } else if (magnitude > 1) {
          escapeDataPresent = true;
        }
      }
      if (lastGreater1ScanPos >= 0) {
        const bool flag = std::abs(level(i, lastGreater1ScanPos)) > 2;
        bin(kCtxCoeffAbsLevelGreater2Flag + ctxSet + 4 * chroma, flag);
        if (flag) escapeDataPresent = true;
      }
      const bool implicit = b.is_intra && s_.implicit_rdpcm_enabled_flag && b.transform_skip_flag &&
                            (b.predModeIntra == 10 || b.predModeIntra == 26);
      const bool signHidden = !bypass && !implicit && !b.explicit_rdpcm_flag &&
                              significant.front() - significant.back() > 3;
      const bool hides = s_.sign_data_hiding_enabled_flag && signHidden;
      if (hides) {
        int sum = 0;
        for (const int n : significant) sum += std::abs(level(i, n));
        int& first = level(i, significant.back());
        first = sum % 2 != 0 ? -std::abs(first) : std::abs(first);
      }
      if (s_.cabac_bypass_alignment_enabled_flag && escapeDataPresent) encoder_.align();
      for (const int n : significant) {
        if (!hides || n != significant.back()) encoder_.bypass(level(i, n) < 0);
      }
      write_remaining(b, significant, lastGreater1ScanPos,
                      [&](int n) { return std::abs(level(i, n)); });
    }
  }

  std::vector<std::uint8_t> finish() {
    encoder_.terminate(1);
    return encoder_.bytes();
  }

 private:
  void bin(int ctxIdx, bool value) { encoder_.decision(contexts_[ctxIdx], value); }

  void write_last(int LastX, int LastY, int log2, bool chroma) {
    const auto group = [](int position) {
      int prefix = position;
      if (position > 3) {
        int log = 2;
        while (position >> (log + 1) != 0) ++log;
        prefix = 2 * log + (position >> (log - 1) & 1);
      }
      return prefix;
    };
    const int ctxOffset = chroma ? 15 : 3 * (log2 - 2) + ((log2 - 1) >> 2);
    const int ctxShift = chroma ? log2 - 2 : (log2 + 1) >> 2;
    for (const auto& [position, base] : {std::pair{LastX, int{kCtxLastSigCoeffXPrefix}},
                                         std::pair{LastY, int{kCtxLastSigCoeffYPrefix}}}) {
      const int prefix = group(position);
      for (int k = 0; k < prefix; ++k) bin(base + ctxOffset + (k >> ctxShift), true);
      if (prefix < (log2 << 1) - 1) bin(base + ctxOffset + (prefix >> ctxShift), false);
    }
    for (const int position : {LastX, LastY}) {
      const int prefix = group(position);
      if (prefix > 3) {
        const auto n = static_cast<unsigned>((prefix >> 1) - 1);
        encoder_.bypass(static_cast<unsigned>(position) & ((1u << n) - 1), n);
      }
    }
  }

  /// ctxIdxInc of sig_coeff_flag (9.3.4.2.5), relative to the 44 contexts in a row.
  int sig_inc(const TransformBlock& b, int xS, int yS, Location at, bool right, bool below) const {
    static constexpr int ctxIdxMap[] = {0, 1, 4, 5, 2, 3, 4, 5, 6, 6, 8, 8, 7, 7, 8};
    const auto [xP, yP] = at;
    const bool chroma = b.cIdx > 0;
    if (s_.transform_skip_context_enabled_flag &&
        (b.transform_skip_flag || b.cu_transquant_bypass_flag)) {
      return chroma ? 43 : 42;
    }
    int sigCtx;
    if (b.log2TrafoSize == 2) {
      sigCtx = ctxIdxMap[(yP << 2) + xP];
    } else if (xS + yS + xP + yP == 0) {
      sigCtx = 0;
    } else {
      if (!right && !below) {
        sigCtx = xP + yP == 0 ? 2 : xP + yP < 3 ? 1 : 0;
      } else if (!below) {
        sigCtx = yP == 0 ? 2 : yP == 1 ? 1 : 0;
      } else if (!right) {
        sigCtx = xP == 0 ? 2 : xP == 1 ? 1 : 0;
      } else {
        sigCtx = 2;
      }
      if (!chroma) {
        if (xS > 0 || yS > 0) sigCtx += 3;
        sigCtx += b.log2TrafoSize == 3 ? (b.scanIdx == 0 ? 9 : 15) : 21;
      } else {
        sigCtx += b.log2TrafoSize == 3 ? 9 : 12;
      }
    }
    return chroma ? 27 + sigCtx : sigCtx;
  }

  template <class Magnitude>
  void write_remaining(const TransformBlock& b, const std::vector<int>& significant,
                       int lastGreater1ScanPos, Magnitude magnitude_at) {
    const bool persistent = s_.persistent_rice_adaptation_enabled_flag;
    int& StatCoeff =
        StatCoeff_[2 * (b.cIdx == 0) + (b.transform_skip_flag || b.cu_transquant_bypass_flag)];
    int cRiceParam = persistent ? StatCoeff / 4 : 0;
    bool first = true;
    for (std::size_t k = 0; k < significant.size(); ++k) {
      const int magnitude = magnitude_at(significant[k]);
      const int flags =
          k < 8 ? (magnitude > 1) + (significant[k] == lastGreater1ScanPos && magnitude > 2) : 0;
      const int baseLevel = 1 + flags;
      if (baseLevel != (k < 8 ? (significant[k] == lastGreater1ScanPos ? 3 : 2) : 1)) continue;
      const int remaining = magnitude - baseLevel;
      write_remaining(remaining, cRiceParam, b.cIdx > 0 ? s_.BitDepthC : s_.BitDepthY);
      if (persistent && first) {
        if (remaining >= 3 << (StatCoeff / 4)) {
          ++StatCoeff;
        } else if (2 * remaining < 1 << (StatCoeff / 4) && StatCoeff > 0) {
          --StatCoeff;
        }
      }
      first = false;
      if (magnitude > 3 * (1 << cRiceParam)) {
        cRiceParam = persistent ? cRiceParam + 1 : std::min(cRiceParam + 1, 4);
      }
    }
  }

  /// coeff_abs_level_remaining (9.3.3.11).
  void write_remaining(int value, int cRiceParam, int BitDepth) {
    const auto rice = static_cast<unsigned>(cRiceParam);
    const int prefixVal = value >> cRiceParam;
    if (prefixVal <= 3) {
      for (int k = 0; k < prefixVal; ++k) encoder_.bypass(1);
      encoder_.bypass(0);
      encoder_.bypass(static_cast<unsigned>(value) & ((1u << rice) - 1), rice);
      return;
    }
    unsigned suffix = static_cast<unsigned>(value) - (4u << rice);  // behind the prefix 1111
    for (int k = 0; k < 4; ++k) encoder_.bypass(1);
    unsigned k = rice + 1;
    if (!s_.extended_precision_processing_flag) {  // EGk
      for (; suffix >= 1u << k; ++k) {
        encoder_.bypass(1);
        suffix -= 1u << k;
      }
      encoder_.bypass(0);
      encoder_.bypass(suffix, k);
      return;
    }
    // Limited EGk (9.3.3.12).
    const unsigned log2TransformRange = static_cast<unsigned>(std::max(15, BitDepth + 6));
    const unsigned maxPreExtLen = 28 - log2TransformRange;
    unsigned preExtLen = 0;
    while (preExtLen < maxPreExtLen && suffix >= 1u << k) {
      encoder_.bypass(1);
      suffix -= 1u << k++;
      ++preExtLen;
    }
    if (preExtLen == maxPreExtLen) {
      encoder_.bypass(suffix, log2TransformRange);
    } else {
      encoder_.bypass(0);
      encoder_.bypass(suffix, k);
    }
  }

  const SliceParams& s_;
  PlainCabacEncoder encoder_;
  PlainCabacEncoder::Context contexts_[kNumContexts];
  int StatCoeff_[4] = {0, 0, 0, 0};
};

class ResidualCoding : public testing::Test {
 protected:
  std::uint32_t draw(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  bool toss() { return draw(2) != 0; }

  Block random_block(const SliceParams& s) {
    Block block;
    TransformBlock& b = block.syntax;
    b.log2TrafoSize = 2 + draw(4);
    b.cIdx = draw(3);
    b.is_intra = toss();
    if (b.log2TrafoSize < 4 && b.is_intra) b.scanIdx = draw(3);
    b.predModeIntra = toss() ? 10 : draw(35);
    b.cu_transquant_bypass_flag = draw(8) == 0;
    if (s.transform_skip_enabled_flag && !b.cu_transquant_bypass_flag &&
        b.log2TrafoSize <= s.Log2MaxTransformSkipSize) {
      b.transform_skip_flag = toss();
    }
    if (s.explicit_rdpcm_enabled_flag && !b.is_intra &&
        (b.transform_skip_flag || b.cu_transquant_bypass_flag)) {
      b.explicit_rdpcm_flag = toss();
      b.explicit_rdpcm_dir_flag = b.explicit_rdpcm_flag && toss();
    }
    const std::size_t num = std::size_t{1} << (2 * b.log2TrafoSize);
    block.levels.assign(num, 0);
    const std::uint32_t sparseness = 1u << draw(7);
    const int largest = 1 << (draw(4) != 0 ? draw(4) : draw(16));
    for (int& level : block.levels) {
      if (draw(sparseness) != 0) continue;
      level = static_cast<int>(draw(static_cast<std::uint32_t>(2 * largest + 1))) - largest;
    }
    if (std::count(block.levels.begin(), block.levels.end(), 0) ==
        static_cast<std::ptrdiff_t>(num)) {
      block.levels[draw(static_cast<std::uint32_t>(num))] = -largest;
    }
    return block;
  }

  /// Writes random blocks with the plain encoder and reads them back.
  void check(const SliceParams& s) {
    std::vector<Block> blocks;
    PlainResidualWriter writer(s);
    for (int i = 0; i < 60; ++i) {
      blocks.push_back(random_block(s));
      writer.write(blocks.back());
    }
    std::vector<std::uint8_t> data = writer.finish();
    const std::size_t size = data.size();
    data.resize(size + 64, 0);

    EntropyState entropy;
    CabacReader reader(entropy, data.data(), size, 0);
    reader.init_contexts(s);
    std::vector<std::uint16_t> positions(1024 + 16);
    std::vector<std::int32_t> levels(1024 + 16);
    for (const Block& block : blocks) {
      TransformBlock read = block.syntax;
      read.transform_skip_flag = read.explicit_rdpcm_flag = read.explicit_rdpcm_dir_flag = false;
      const std::uint32_t count =
          s.extends_residual_coding()
              ? residual_coding<true>(s, reader, read, positions.data(), levels.data())
              : residual_coding<false>(s, reader, read, positions.data(), levels.data());
      ASSERT_LE(count, 1024u);
      ASSERT_EQ(read.transform_skip_flag, block.syntax.transform_skip_flag);
      ASSERT_EQ(read.explicit_rdpcm_flag, block.syntax.explicit_rdpcm_flag);
      ASSERT_EQ(read.explicit_rdpcm_dir_flag, block.syntax.explicit_rdpcm_dir_flag);
      std::vector<int> found(block.levels.size(), 0);
      for (std::uint32_t k = 0; k < count; ++k) {
        ASSERT_NE(levels[k], 0);
        found[positions[k]] = levels[k];
      }
      ASSERT_EQ(found, block.levels);
    }
    EXPECT_TRUE(reader.end_of_slice_segment_flag());
    EXPECT_EQ(reader.bit_pos(),
              size * 8 - static_cast<std::size_t>(std::countr_zero(data[size - 1])));
  }

  std::mt19937 random_{17};
};

/// `tools`: a bit for each of what residual_coding() depends on.
SliceParams make_params(int tools) {
  SliceParams s;
  s.SliceQpY = 30;
  s.sign_data_hiding_enabled_flag = (tools & 1) != 0;
  s.transform_skip_enabled_flag = (tools & 2) != 0;
  s.Log2MaxTransformSkipSize = (tools & 2) != 0 ? 5 : 2;
  s.transform_skip_context_enabled_flag = (tools & 4) != 0;
  s.implicit_rdpcm_enabled_flag = (tools & 8) != 0;
  s.explicit_rdpcm_enabled_flag = (tools & 16) != 0;
  s.extended_precision_processing_flag = (tools & 32) != 0;
  s.persistent_rice_adaptation_enabled_flag = (tools & 64) != 0;
  s.cabac_bypass_alignment_enabled_flag = (tools & 128) != 0;
  s.BitDepthY = 16;
  s.BitDepthC = 9;
  return s;
}

TEST_F(ResidualCoding, ReadsWhatTheStandardsEncoderWrites) {
  for (int tools = 0; tools < 256; ++tools) {
    SCOPED_TRACE(tools);
    check(make_params(tools));
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace cope::h265
