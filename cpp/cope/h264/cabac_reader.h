#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/bits/bit_reader.h"
#include "cope/entropy/cabac_engine.h"
#include "cope/entropy/context_model.h"
#include "cope/h264/cabac_tables.h"
#include "cope/h264/mb_state.h"
#include "cope/h264/mb_type_tables.h"
#include "cope/h264/slice_context.h"

namespace cope::h264 {

/// ctxIdxOffset of the syntax elements outside residual data (Table 9-34).
enum CtxIdxOffset : unsigned {
  kCtxMbTypeSIPrefix = 0,
  kCtxMbTypeI = 3,
  kCtxMbSkipFlagP = 11,
  kCtxMbTypeP = 14,
  kCtxMbTypeISuffixP = 17,
  kCtxSubMbTypeP = 21,
  kCtxMbSkipFlagB = 24,
  kCtxMbTypeB = 27,
  kCtxMbTypeISuffixB = 32,
  kCtxSubMbTypeB = 36,
  kCtxMvdX = 40,
  kCtxMvdY = 47,
  kCtxRefIdx = 54,
  kCtxMbQpDelta = 60,
  kCtxIntraChromaPredMode = 64,
  kCtxPrevIntraPredModeFlag = 68,
  kCtxRemIntraPredMode = 69,
  kCtxMbFieldDecodingFlag = 70,
  kCtxCodedBlockPatternLuma = 73,
  kCtxCodedBlockPatternChroma = 77,
  kCtxTransformSize8x8Flag = 399,
};

/// The contexts of one slice.
struct CabacContexts {
  entropy::ContextWord words[1024];

  /// 9.3.1.1.
  COPE_HD void init(const SliceParams& slice) noexcept {
    const bool intra = slice.slice_type == 2 || slice.slice_type == 4;
    const auto& mn = kCabacInit[intra ? 0 : 1 + slice.cabac_init_idc];
    for (int i = 0; i < 1024; ++i) {
      words[i] = entropy::kBinWords.word[entropy::init_context(mn[i][0], mn[i][1], slice.SliceQPY)];
    }
  }
};

/// What residual_block_cabac() parses, as far as ctxIdxInc of its elements differs (9.3.3.1.3).
enum class CabacBlockShape : std::uint8_t { k4x4, k8x8, kChromaDc };

/// Syntax elements of slice data coded with CABAC (9.3): one method each. Binarisations and context
/// increments are the standard's; what they depend on comes in as arguments.
///
/// A reader is small but for the contexts, which it only points at: parsers copy it into their
/// locals for the length of a function (`LocalReader`).
template <class Engine>
class BasicCabacReader {
 public:
  static constexpr bool kIsCabac = true;

  COPE_HD BasicCabacReader(CabacContexts& contexts, const std::uint8_t* rbsp, std::size_t size,
                           std::size_t data_bit_offset) noexcept
      : contexts_(contexts.words), rbsp_(rbsp), end_(rbsp + size) {
    const std::size_t start = (data_bit_offset + 7) / 8;
    engine_begin_ = rbsp + (start < size ? start : size);
    engine_ = Engine(engine_begin_, end_);
  }

  // See CabacEngine.
  COPE_HD COPE_FORCE_INLINE BasicCabacReader(const BasicCabacReader& other) noexcept
      : contexts_(other.contexts_),
        rbsp_(other.rbsp_),
        end_(other.end_),
        engine_begin_(other.engine_begin_),
        engine_(other.engine_),
        overrun_(other.overrun_) {}
  COPE_HD COPE_FORCE_INLINE BasicCabacReader& operator=(const BasicCabacReader& other) noexcept {
    engine_begin_ = other.engine_begin_;
    engine_ = other.engine_;
    overrun_ = other.overrun_;
    return *this;
  }

  /// Goes on where a copy of this reader has arrived; pcm_samples() is not among what it read.
  COPE_HD COPE_FORCE_INLINE void advance_to(const BasicCabacReader& copy) noexcept {
    engine_.advance_to(copy.engine_);
  }

  /// Bits of the RBSP consumed so far.
  COPE_HD COPE_FORCE_INLINE std::size_t bit_pos() const noexcept {
    return static_cast<std::size_t>(engine_begin_ - rbsp_) * 8 + engine_.bit_pos();
  }
  COPE_HD bool overrun() const noexcept { return overrun_ || engine_.overrun(); }

  /// Whether what was read last may have come from behind the data.
  COPE_HD bool is_at_end() const noexcept { return overrun(); }

  COPE_HD COPE_FORCE_INLINE bool end_of_slice_flag() noexcept { return engine_.terminate(); }

  /// Whether the data end where an end_of_slice_flag of 1 was decoded: with rbsp_stop_one_bit, the
  /// last bit that it looks at, and zeros (cabac_zero_words). x264 does not leave the bits behind
  /// the stop bit zero, so up to a byte of anything passes.
  COPE_HD bool ends_in_order() const noexcept {
    const std::size_t pos = bit_pos();
    if (pos == 0 || pos > static_cast<std::size_t>(end_ - rbsp_) * 8) return false;
    const std::uint8_t* p = rbsp_ + (pos - 1) / 8;
    if ((*p << ((pos - 1) & 7) & 0x80) == 0) return false;
    for (p += 2; p < end_; ++p) {
      if (*p != 0) return false;
    }
    return true;
  }

  COPE_HD COPE_FORCE_INLINE bool mb_skip_flag(bool is_b, const MbState& a,
                                              const MbState& b) noexcept {
    const unsigned inc = ((a.flags & kMbSkip) == 0) + ((b.flags & kMbSkip) == 0);
    return bin((is_b ? kCtxMbSkipFlagB : kCtxMbSkipFlagP) + inc);
  }

  COPE_HD COPE_FORCE_INLINE bool mb_field_decoding_flag(bool left_pair_is_field,
                                                        bool above_pair_is_field) noexcept {
    return bin(kCtxMbFieldDecodingFlag + left_pair_is_field + above_pair_is_field);
  }

  /// mb_type of an I slice: MbTypeI.
  COPE_HD COPE_FORCE_INLINE unsigned mb_type_i(const MbState& a, const MbState& b) noexcept {
    const unsigned inc = ((a.flags & kMbINxN) == 0) + ((b.flags & kMbINxN) == 0);
    if (!bin(kCtxMbTypeI + inc)) return kI_NxN;
    if (engine_.terminate()) return kI_PCM;
    const unsigned luma = bin(kCtxMbTypeI + 3);
    unsigned mb_type = 1 + 12 * luma;
    if (bin(kCtxMbTypeI + 4)) {
      mb_type += 4 + 4 * bin(kCtxMbTypeI + 5);
      mb_type += 2 * bin(kCtxMbTypeI + 6);
      return mb_type + bin(kCtxMbTypeI + 7);
    }
    mb_type += 2 * bin(kCtxMbTypeI + 6);
    return mb_type + bin(kCtxMbTypeI + 7);
  }

  /// mb_type of an SI slice: true for SI, else an I type follows.
  COPE_HD COPE_FORCE_INLINE bool mb_type_is_si(const MbState& a, const MbState& b) noexcept {
    const unsigned inc = ((a.flags & kMbSI) == 0) + ((b.flags & kMbSI) == 0);
    return !bin(kCtxMbTypeSIPrefix + inc);
  }

  /// mb_type of a P or SP slice: MbTypeP, or 5 + MbTypeI.
  COPE_HD COPE_FORCE_INLINE unsigned mb_type_p() noexcept {
    if (bin(kCtxMbTypeP)) return 5 + mb_type_i_suffix(kCtxMbTypeISuffixP);
    if (!bin(kCtxMbTypeP + 1)) return bin(kCtxMbTypeP + 2) ? kP_8x8 : kP_L0_16x16;
    return bin(kCtxMbTypeP + 3) ? kP_L0_L0_16x8 : kP_L0_L0_8x16;
  }

  /// mb_type of a B slice: MbTypeB, or 23 + MbTypeI.
  COPE_HD COPE_FORCE_INLINE unsigned mb_type_b(const MbState& a, const MbState& b) noexcept {
    const unsigned inc = ((a.flags & kMbDirect16x16) == 0) + ((b.flags & kMbDirect16x16) == 0);
    if (!bin(kCtxMbTypeB + inc)) return kB_Direct_16x16;
    if (!bin(kCtxMbTypeB + 3)) return 1 + bin(kCtxMbTypeB + 5);
    unsigned bits = bin(kCtxMbTypeB + 4) << 3;
    bits |= bin(kCtxMbTypeB + 5) << 2;
    bits |= bin(kCtxMbTypeB + 5) << 1;
    bits |= bin(kCtxMbTypeB + 5);
    if (bits < 8) return 3 + bits;
    if (bits == 13) return 23 + mb_type_i_suffix(kCtxMbTypeISuffixB);
    if (bits == 14) return kB_L1_L0_8x16;
    if (bits == 15) return kB_8x8;
    return 12 + (bits - 8) * 2 + bin(kCtxMbTypeB + 5);
  }

  COPE_HD COPE_FORCE_INLINE unsigned sub_mb_type_p() noexcept {
    if (bin(kCtxSubMbTypeP)) return kP_L0_8x8;
    if (!bin(kCtxSubMbTypeP + 1)) return kP_L0_8x4;
    return bin(kCtxSubMbTypeP + 2) ? kP_L0_4x8 : kP_L0_4x4;
  }

  COPE_HD COPE_FORCE_INLINE unsigned sub_mb_type_b() noexcept {
    if (!bin(kCtxSubMbTypeB)) return kB_Direct_8x8;
    if (!bin(kCtxSubMbTypeB + 1)) return 1 + bin(kCtxSubMbTypeB + 3);
    if (!bin(kCtxSubMbTypeB + 2)) {
      const unsigned high = bin(kCtxSubMbTypeB + 3);
      return 3 + 2 * high + bin(kCtxSubMbTypeB + 3);
    }
    if (bin(kCtxSubMbTypeB + 3)) return 11 + bin(kCtxSubMbTypeB + 3);
    const unsigned high = bin(kCtxSubMbTypeB + 3);
    return 7 + 2 * high + bin(kCtxSubMbTypeB + 3);
  }

  COPE_HD COPE_FORCE_INLINE bool transform_size_8x8_flag(const MbState& a,
                                                         const MbState& b) noexcept {
    const unsigned inc = ((a.flags & kMbTransform8x8) != 0) + ((b.flags & kMbTransform8x8) != 0);
    return bin(kCtxTransformSize8x8Flag + inc);
  }

  COPE_HD COPE_FORCE_INLINE bool prev_intra_pred_mode_flag() noexcept {
    return bin(kCtxPrevIntraPredModeFlag);
  }

  COPE_HD COPE_FORCE_INLINE unsigned rem_intra_pred_mode() noexcept {
    unsigned mode = bin(kCtxRemIntraPredMode);
    mode |= bin(kCtxRemIntraPredMode) << 1;
    return mode | bin(kCtxRemIntraPredMode) << 2;
  }

  COPE_HD COPE_FORCE_INLINE unsigned intra_chroma_pred_mode(const MbState& a,
                                                            const MbState& b) noexcept {
    const unsigned inc =
        ((a.flags & kMbChromaPredNonDc) != 0) + ((b.flags & kMbChromaPredNonDc) != 0);
    if (!bin(kCtxIntraChromaPredMode + inc)) return 0;
    if (!bin(kCtxIntraChromaPredMode + 3)) return 1;
    return 2 + bin(kCtxIntraChromaPredMode + 3);
  }

  /// ref_idx_lX; `inc` is refIdxZeroFlag's sum, 0..3. Values above 32 do not occur in valid
  /// streams.
  COPE_HD COPE_FORCE_INLINE unsigned ref_idx(unsigned inc, unsigned /*max_ref_idx*/) noexcept {
    if (!bin(kCtxRefIdx + inc)) return 0;
    unsigned value = 1;
    unsigned ctx = kCtxRefIdx + 4;
    while (value < 33 && bin(ctx)) {
      ++value;
      ctx = kCtxRefIdx + 5;
    }
    return value;
  }

  /// mvd_lX, one component; `abs_sum` is absMvdComp of the neighbours (9.3.3.1.1.7).
  COPE_HD COPE_FORCE_INLINE int mvd(bool vertical, unsigned abs_sum) noexcept {
    const unsigned base = vertical ? kCtxMvdY : kCtxMvdX;
    if (!bin(base + (abs_sum > 2) + (abs_sum > 32))) return 0;
    int magnitude = 1;
    unsigned ctx = base + 3;
    while (magnitude < 9 && bin(ctx)) {
      ++magnitude;
      ctx += ctx < base + 6;
    }
    if (magnitude == 9) magnitude += static_cast<int>(exp_golomb_suffix(3));
    const int sign = static_cast<int>(engine_.bypass());
    return (magnitude ^ -sign) + sign;
  }

  template <class Neighbours>
  COPE_HD COPE_FORCE_INLINE unsigned coded_block_pattern(const Neighbours& n,
                                                         unsigned ChromaArrayType,
                                                         bool /*intra*/) noexcept {
    const unsigned left = n.left->coded_block_pattern;
    const unsigned lower_left = n.left_of(2).coded_block_pattern;
    const unsigned above = n.above->coded_block_pattern;
    // condTermFlags of neighbours: block b8 beside (-1, 8 * y8) is in the odd column, row
    // left_row / 2 of the left macroblock.
    const unsigned a0 = ~left >> (2 * (n.left_row(0) >> 1) + 1) & 1;
    const unsigned a2 = ~lower_left >> (2 * (n.left_row(2) >> 1) + 1) & 1;
    const unsigned b0 = ~above >> 1 & 2;
    const unsigned b1 = ~above >> 2 & 2;
    const unsigned bit0 = bin(kCtxCodedBlockPatternLuma + a0 + b0);
    const unsigned bit1 = bin(kCtxCodedBlockPatternLuma + (1 - bit0) + b1);
    const unsigned bit2 = bin(kCtxCodedBlockPatternLuma + a2 + 2 * (1 - bit0));
    const unsigned bit3 = bin(kCtxCodedBlockPatternLuma + (1 - bit2) + 2 * (1 - bit1));
    const unsigned luma = bit0 | bit1 << 1 | bit2 << 2 | bit3 << 3;
    if (ChromaArrayType == 0 || ChromaArrayType == 3) return luma;
    const unsigned chroma_a = left >> 4;
    const unsigned chroma_b = above >> 4;
    if (!bin(kCtxCodedBlockPatternChroma + (chroma_a != 0) + 2 * (chroma_b != 0))) return luma;
    return luma | (1 + bin(kCtxCodedBlockPatternChroma + 4 + (chroma_a == 2) + 2 * (chroma_b == 2)))
                      << 4;
  }

  /// mb_qp_delta; `prev_nonzero`: that of the previous macroblock in decoding order was not 0.
  COPE_HD COPE_FORCE_INLINE int mb_qp_delta(bool prev_nonzero) noexcept {
    if (!bin(kCtxMbQpDelta + prev_nonzero)) return 0;
    int k = 1;
    unsigned ctx = kCtxMbQpDelta + 2;
    while (k < 256 && bin(ctx)) {
      ++k;
      ctx = kCtxMbQpDelta + 3;
    }
    return (k & 1) != 0 ? (k + 1) / 2 : -(k / 2);
  }

  /// Skips pcm samples and starts the engine anew behind them (9.3.1.2).
  COPE_HD void pcm_samples(std::size_t num_bits) noexcept {
    const std::size_t start = (static_cast<std::size_t>(engine_begin_ - rbsp_) * 8 +
                               engine_.bit_pos_after_terminate() + 7) /
                              8;
    const std::size_t next = start + num_bits / 8;
    if (next > static_cast<std::size_t>(end_ - rbsp_)) {
      overrun_ = true;
      return;
    }
    engine_begin_ = rbsp_ + next;
    engine_ = Engine(engine_begin_, end_);
  }

  COPE_HD COPE_FORCE_INLINE bool coded_block_flag(unsigned ctxBlockCat, unsigned inc) noexcept {
    return bin(kCodedBlockFlagBase[ctxBlockCat] + inc);
  }

  /// residual_block_cabac() behind coded_block_flag (7.3.5.3.3): the non-zero levels in ascending
  /// scan position, `first_position` added to each. `NumC8x8` matters to chroma DC alone.
  template <CabacBlockShape kShape>
  COPE_HD COPE_FORCE_INLINE unsigned residual_block(unsigned ctxBlockCat, bool is_field,
                                                    unsigned maxNumCoeff, unsigned first_position,
                                                    unsigned NumC8x8, std::uint16_t* positions,
                                                    std::int32_t* levels) noexcept;

 private:
  COPE_HD COPE_FORCE_INLINE unsigned bin(unsigned ctxIdx) noexcept {
    return engine_.decision(contexts_[ctxIdx]);
  }

  /// An I type behind the prefix bin of P and B slices: MbTypeI.
  COPE_HD COPE_FORCE_INLINE unsigned mb_type_i_suffix(unsigned base) noexcept {
    if (!bin(base)) return kI_NxN;
    if (engine_.terminate()) return kI_PCM;
    unsigned mb_type = 1 + 12 * bin(base + 1);
    if (bin(base + 2)) mb_type += 4 + 4 * bin(base + 2);
    mb_type += 2 * bin(base + 3);
    return mb_type + bin(base + 3);
  }

  /// Suffix of UEGk (9.3.2.3). Longer prefixes than valid streams have end the loop, not the parse.
  COPE_HD COPE_FORCE_INLINE std::uint32_t exp_golomb_suffix(unsigned k) noexcept {
    std::uint32_t value = 0;
    while (k < 24 && engine_.bypass() != 0) {
      value += 1u << k;
      ++k;
    }
    std::uint32_t bits = 0;
    if (k > 16) {
      bits = engine_.bypass_bins(k - 16);
      k = 16;
    }
    return value + (bits << k | engine_.bypass_bins(k));
  }

  entropy::ContextWord* contexts_;
  const std::uint8_t* rbsp_;
  const std::uint8_t* end_;
  const std::uint8_t* engine_begin_;
  Engine engine_;
  bool overrun_ = false;
};

using CabacReader = BasicCabacReader<entropy::CabacEngine>;

/// ctxIdxInc of coeff_abs_level_minus1 (9.3.3.1.3) as a walk over the levels of a block: states
/// 0..3 have seen no level above 1 and that many of 1 (3: or more); 4..8 have seen 1, 2, .. levels
/// above.
struct AbsLevelWalk {
  std::uint8_t first_inc[9];   // of the first bin
  std::uint8_t other_inc[9];   // of the others
  std::uint8_t after_one[9];   // the state behind a level of 1
  std::uint8_t after_more[9];  // and behind a greater one
};
COPE_HD_TABLE AbsLevelWalk kAbsLevelWalk = {
    {1, 2, 3, 4, 0, 0, 0, 0, 0},
    {5, 5, 5, 5, 6, 7, 8, 9, 9},
    {1, 2, 3, 3, 4, 5, 6, 7, 8},
    {4, 4, 4, 4, 5, 6, 7, 8, 8},
};

template <class Engine>
template <CabacBlockShape kShape>
COPE_HD COPE_FORCE_INLINE unsigned BasicCabacReader<Engine>::residual_block(
    unsigned ctxBlockCat, bool is_field, unsigned maxNumCoeff, unsigned first_position,
    unsigned NumC8x8, std::uint16_t* positions, std::int32_t* levels) noexcept {
  entropy::ContextWord* const significant =
      contexts_ + kSignificantCoeffFlagBase[is_field][ctxBlockCat];
  entropy::ContextWord* const last =
      contexts_ + kLastSignificantCoeffFlagBase[is_field][ctxBlockCat];
  const std::uint8_t* const significant_inc_8x8 = kSignificantCoeffFlagInc8x8[is_field];
  const auto significant_inc = [=](unsigned at) -> unsigned {
    if constexpr (kShape == CabacBlockShape::k8x8) return significant_inc_8x8[at];
    if constexpr (kShape == CabacBlockShape::kChromaDc) return at / NumC8x8 < 2 ? at / NumC8x8 : 2;
    return at;
  };
  const auto last_inc = [=](unsigned at) -> unsigned {
    if constexpr (kShape == CabacBlockShape::k8x8) return kLastSignificantCoeffFlagInc8x8[at];
    return significant_inc(at);
  };
  const unsigned numCoeff = maxNumCoeff - 1;
  unsigned count = 0;
  unsigned i = 0;
  entropy::ContextWord* context = significant + significant_inc(0);
  entropy::ContextWord word = *context;
  for (; i < numCoeff; ++i) {
    // Both words that may come next are loaded before it is known which: which way a flag goes is
    // mispredicted often, and then nothing hides a load. Where the next flag has the same context,
    // its word does not go through memory.
    entropy::ContextWord* const next_context = significant + significant_inc(i + 1);
    entropy::ContextWord next_word = *next_context;
    entropy::ContextWord* const last_context = last + last_inc(i);
    const entropy::ContextWord last_word = *last_context;
    entropy::ContextWord updated;
    const unsigned flag = engine_.decision(word, updated);
    *context = updated;
    word = kShape != CabacBlockShape::k4x4 && next_context == context ? updated : next_word;
    context = next_context;
    if (flag == 0) continue;
    positions[count++] = static_cast<std::uint16_t>(i + first_position);
    const unsigned is_last = engine_.decision(last_word, updated);
    *last_context = updated;
    if (is_last != 0) break;
  }
  // Without a last flag the final coefficient is significant by inference.
  if (i == numCoeff) positions[count++] = static_cast<std::uint16_t>(numCoeff + first_position);

  entropy::ContextWord* const abs_level = contexts_ + kCoeffAbsLevelMinus1Base[ctxBlockCat];
  unsigned walk = 0;
  for (unsigned c = count; c-- != 0;) {
    std::uint32_t magnitude = 1;
    unsigned inc = kAbsLevelWalk.other_inc[walk];
    if constexpr (kShape == CabacBlockShape::kChromaDc) inc = inc < 8 ? inc : 8;
    entropy::ContextWord* const other = abs_level + inc;
    entropy::ContextWord other_word = *other;
    if (engine_.decision(abs_level[kAbsLevelWalk.first_inc[walk]]) == 0) {
      walk = kAbsLevelWalk.after_one[walk];
    } else {
      magnitude = 2;
      while (magnitude < 15 && engine_.decision(other_word, other_word) != 0) ++magnitude;
      *other = other_word;
      if (magnitude == 15) magnitude += exp_golomb_suffix(0);
      walk = kAbsLevelWalk.after_more[walk];
    }
    const auto sign = static_cast<std::int32_t>(engine_.bypass());
    levels[c] = (static_cast<std::int32_t>(magnitude) ^ -sign) + sign;
  }
  return count;
}

}  // namespace cope::h264
