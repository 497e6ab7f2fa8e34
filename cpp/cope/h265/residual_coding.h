#pragma once

#include <bit>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/entropy/cabac_engine.h"
#include "cope/h265/cabac_reader.h"
#include "cope/h265/slice_context.h"
#include "cope/h265/slice_data_tables.h"

namespace cope::h265 {

/// A transform block as residual_coding() (7.3.8.11) asks for it, and what it says of the block.
struct TransformBlock {
  unsigned log2TrafoSize = 2;  ///< 2..5
  unsigned cIdx = 0;           ///< 0 Y, 1 Cb, 2 Cr
  unsigned scanIdx = 0;        ///< 0 up-right diagonal, 1 horizontal, 2 vertical
  unsigned predModeIntra = 0;  ///< of intra coding units
  bool is_intra = false;
  bool cu_transquant_bypass_flag = false;
  // read
  bool transform_skip_flag = false;
  bool explicit_rdpcm_flag = false;
  bool explicit_rdpcm_dir_flag = false;  ///< vertical
};

inline constexpr std::uint32_t kInvalidLevels = 0xffffffff;

/// coeff_abs_level_remaining (9.3.3.11); `invalid` is set where no such code exists.
///
/// \param log2TransformRange  of extended_precision_processing_flag 1, else 0
COPE_HD COPE_FORCE_INLINE std::uint32_t coeff_abs_level_remaining(entropy::CabacEngine& engine,
                                                                  unsigned cRiceParam,
                                                                  unsigned log2TransformRange,
                                                                  bool& invalid) noexcept {
  // Prefix and suffix mostly lie within 16 bins.
  const std::uint32_t bins = engine.peek_bypass();
  unsigned prefix = static_cast<unsigned>(std::countl_one(static_cast<std::uint16_t>(bins)));
  if (COPE_LIKELY(prefix <= 3)) {
    const unsigned length = prefix + 1 + cRiceParam;
    if (COPE_LIKELY(length <= 16)) {
      engine.skip_bypass(length, bins >> (16 - length));
      const std::uint32_t suffix = bins >> (16 - length) & ((1u << cRiceParam) - 1);
      return (prefix << cRiceParam) + suffix;
    }
    engine.skip_bypass(prefix + 1, bins >> (15 - prefix));
    return (prefix << cRiceParam) + bypass_bins(engine, cRiceParam);
  }
  const unsigned max_prefix = log2TransformRange == 0 ? 32 : 32 - log2TransformRange;
  if (COPE_LIKELY(prefix < max_prefix && prefix < 16)) {
    engine.skip_bypass(prefix + 1, bins >> (15 - prefix));
  } else {  // all ones so far, and without a zero behind the longest prefix
    prefix = prefix < max_prefix ? prefix : max_prefix;
    engine.skip_bypass(prefix, bins >> (16 - prefix));
    while (prefix < max_prefix && engine.bypass() != 0) ++prefix;
  }
  unsigned suffix_bits = prefix - 3 + cRiceParam;
  if (log2TransformRange != 0) {
    if (prefix == max_prefix) suffix_bits = log2TransformRange;
  } else if (prefix == max_prefix) {
    invalid = true;
  }
  if (suffix_bits > 31) {
    invalid = true;
    return 0;
  }
  return (((1u << (prefix - 3)) + 2) << cRiceParam) + bypass_bins(engine, suffix_bits);
}

/// last_sig_coeff_x_prefix or _y_prefix.
COPE_HD COPE_FORCE_INLINE unsigned last_sig_coeff_prefix(entropy::CabacEngine& engine,
                                                         entropy::ContextWord* contexts,
                                                         const TransformBlock& block) noexcept {
  const unsigned log2 = block.log2TrafoSize;
  const unsigned ctxOffset = block.cIdx == 0 ? 3 * (log2 - 2) + ((log2 - 1) >> 2) : 15;
  const unsigned ctxShift = block.cIdx == 0 ? (log2 + 1) >> 2 : log2 - 2;
  const unsigned cMax = 2 * log2 - 1;
  unsigned prefix = 0;
  while (prefix < cMax && engine.decision(contexts[ctxOffset + (prefix >> ctxShift)]) != 0) {
    ++prefix;
  }
  return prefix;
}

/// Bits 15 to 8; for loops that become vector code.
COPE_HD_TABLE std::uint32_t kBits[8] = {0x8000, 0x4000, 0x2000, 0x1000, 0x800, 0x400, 0x200, 0x100};

/// Gives eight magnitudes the signs in bits 15 to 8 of `signs`.
COPE_HD COPE_FORCE_INLINE void apply_signs(std::uint32_t signs, const std::uint32_t* magnitudes,
                                           std::int32_t* levels) noexcept {
  for (unsigned m = 0; m < 8; ++m) {
    const std::uint32_t is_negative = (signs & kBits[m]) != 0;
    levels[m] = static_cast<std::int32_t>((magnitudes[m] ^ (0 - is_negative)) + is_negative);
  }
}

/// Eight levels of magnitude 1 or 2.
COPE_HD COPE_FORCE_INLINE void write_levels(std::uint32_t signs, std::uint32_t is_greater1,
                                            std::int32_t* levels) noexcept {
  for (unsigned m = 0; m < 8; ++m) {
    const std::uint32_t is_negative = (signs & kBits[m]) != 0;
    const std::uint32_t magnitude = 1 + ((is_greater1 & kBits[m]) != 0);
    levels[m] = static_cast<std::int32_t>((magnitude ^ (0 - is_negative)) + is_negative);
  }
}

/// StatCoeff after the first coeff_abs_level_remaining of a sub-block (9.3.4.2.6).
COPE_HD inline void update_stat_coeff(std::uint8_t& StatCoeff, std::uint32_t remaining) noexcept {
  if (remaining >= 3u << (StatCoeff / 4)) {
    ++StatCoeff;
  } else if (2 * remaining < 1u << (StatCoeff / 4) && StatCoeff != 0) {
    --StatCoeff;
  }
}

/// residual_coding(): TransCoeffLevel of one transform block in the order of coding, from the last
/// significant one to the first, sign data hiding applied. Returns how many, 1..1024, or
/// `kInvalidLevels`.
///
/// `kExtended`: with the tools of SliceParams::extends_residual_coding().
template <bool kExtended>
COPE_HD std::uint32_t residual_coding(const SliceParams& s, CabacReader& reader,
                                      TransformBlock& block, std::uint16_t* positions,
                                      std::int32_t* levels) noexcept {
  entropy::CabacEngine engine = reader.engine;  // in registers for the length of the block
  entropy::ContextWord* const contexts = reader.state->contexts;
  const unsigned log2 = block.log2TrafoSize;
  const unsigned scanIdx = block.scanIdx;
  const unsigned is_chroma = block.cIdx != 0;
  const bool bypass = block.cu_transquant_bypass_flag;

  if (s.transform_skip_enabled_flag && !bypass && log2 <= s.Log2MaxTransformSkipSize) {
    block.transform_skip_flag = engine.decision(contexts[kCtxTransformSkipFlag + is_chroma]) != 0;
  }
  bool may_hide_sign = s.sign_data_hiding_enabled_flag && !bypass;
  const bool no_transform = bypass || block.transform_skip_flag;
  if constexpr (kExtended) {
    if (s.explicit_rdpcm_enabled_flag && !block.is_intra && no_transform) {
      block.explicit_rdpcm_flag = engine.decision(contexts[kCtxExplicitRdpcmFlag + is_chroma]) != 0;
      if (block.explicit_rdpcm_flag) {
        block.explicit_rdpcm_dir_flag =
            engine.decision(contexts[kCtxExplicitRdpcmDirFlag + is_chroma]) != 0;
        may_hide_sign = false;
      }
    }
    if (s.implicit_rdpcm_enabled_flag && block.is_intra && block.transform_skip_flag &&
        (block.predModeIntra == 10 || block.predModeIntra == 26)) {
      may_hide_sign = false;
    }
  }

  const unsigned x_prefix =
      last_sig_coeff_prefix(engine, contexts + kCtxLastSigCoeffXPrefix, block);
  const unsigned y_prefix =
      last_sig_coeff_prefix(engine, contexts + kCtxLastSigCoeffYPrefix, block);
  unsigned LastX = kLastSigCoeffBase[x_prefix];
  unsigned LastY = kLastSigCoeffBase[y_prefix];
  if (x_prefix > 3) LastX += bypass_bins(engine, (x_prefix >> 1) - 1);
  if (y_prefix > 3) LastY += bypass_bins(engine, (y_prefix >> 1) - 1);
  if (scanIdx == 2) {
    const unsigned swapped = LastX;
    LastX = LastY;
    LastY = swapped;
  }

  const std::uint8_t* const sub_blocks = kSubBlockScan[scanIdx][log2 - 2];
  const std::uint8_t* const coeff_offset = kCoeffOffset[scanIdx][log2 - 2];
  const unsigned lastSubBlock = kSubBlockPos[scanIdx][log2 - 2][(LastY >> 2) * 8 + (LastX >> 2)];
  const unsigned lastScanPos = kScanPos4x4[scanIdx][(LastY & 3) * 4 + (LastX & 3)];

  // sig_coeff_flag (9.3.4.2.5): a row of increments, and a context to which they are added that
  // differs between the first sub-block and the others for luma.
  const std::uint8_t (*const inc_rows)[16] = kSigCoeffInc[scanIdx];
  const std::uint8_t* one_inc_row = log2 == 2 ? inc_rows[4] : nullptr;
  entropy::ContextWord* dc_context = contexts + kCtxSigCoeffFlag + (is_chroma ? 27 : 0);
  entropy::ContextWord* first_contexts = dc_context;
  entropy::ContextWord* other_contexts = dc_context;
  if (log2 != 2) {
    if (is_chroma) {
      first_contexts += log2 == 3 ? 9 : 12;
      other_contexts = first_contexts;
    } else {
      first_contexts += log2 == 3 ? (scanIdx == 0 ? 9 : 15) : 21;
      other_contexts = first_contexts + 3;
    }
  }
  if constexpr (kExtended) {
    if (s.transform_skip_context_enabled_flag && no_transform) {
      one_inc_row = inc_rows[5];
      dc_context = contexts + kCtxSigCoeffFlagTransformSkipContext + is_chroma;
      first_contexts = dc_context;
      other_contexts = dc_context;
    }
  }

  entropy::ContextWord* const coded_sub_block_contexts =
      contexts + kCtxCodedSubBlockFlag + (is_chroma ? 2 : 0);
  entropy::ContextWord* const greater1_contexts =
      contexts + kCtxCoeffAbsLevelGreater1Flag + (is_chroma ? 16 : 0);
  entropy::ContextWord* const greater2_contexts =
      contexts + kCtxCoeffAbsLevelGreater2Flag + (is_chroma ? 4 : 0);
  [[maybe_unused]] std::uint8_t* const StatCoeff =
      reader.state->StatCoeff + (is_chroma ? 0 : 2) + no_transform;
  [[maybe_unused]] unsigned log2TransformRange = 0;
  if constexpr (kExtended) {
    if (s.extended_precision_processing_flag) {
      const unsigned by_depth = (is_chroma ? s.BitDepthC : s.BitDepthY) + 6u;
      log2TransformRange = by_depth > 15 ? by_depth : 15;
    }
  }

  bool invalid = false;
  std::uint32_t count = 0;
  std::uint64_t coded = 0;         // coded_sub_block_flag, bit yS * 8 + xS
  unsigned previous_greater1 = 0;  // greater1Ctx ended at 0 in the sub-block before
  for (unsigned i = lastSubBlock + 1; i-- != 0;) {
    const unsigned at = sub_blocks[i];
    const std::uint64_t right = (coded & 0xfefefefefefefefe) >> at >> 1;
    const std::uint64_t below = coded >> at >> 8;
    const auto csbf = static_cast<unsigned>((right & 1) | (below & 1) << 1);
    const unsigned first_position = (at >> 3) << (log2 + 2) | (at & 7) << 2;
    std::uint16_t* const position = positions + count;  // highest scan position first
    std::uint32_t significant = 0;                      // in the end, by scan position
    unsigned num = 0;
    unsigned n = 16;  // scan positions below it are yet to come
    if (i == lastSubBlock) {
      n = lastScanPos;
      position[0] = static_cast<std::uint16_t>(first_position + coeff_offset[n]);
      significant = 1;
      num = 1;
    } else if (i != 0 && engine.decision(coded_sub_block_contexts[csbf != 0]) == 0) {
      continue;
    }
    coded |= std::uint64_t{1} << at;

    if (n != 0) {
      const std::uint8_t* const inc = one_inc_row != nullptr ? one_inc_row : inc_rows[csbf];
      entropy::ContextWord* const sig_contexts = i == 0 ? first_contexts : other_contexts;
      // The next context's word is loaded before the bin is known and, where it is the same context
      // again, does not go through memory.
      entropy::ContextWord* context = sig_contexts + inc[n - 1];
      entropy::ContextWord word = *context;
      while (--n != 0) {
        entropy::ContextWord* const next_context = sig_contexts + inc[n - 1];
        const entropy::ContextWord next_word = *next_context;
        entropy::ContextWord updated;
        const unsigned flag = engine.decision_again(word, updated);
        *context = updated;
        word = next_context == context ? updated : next_word;
        context = next_context;
        position[num] = static_cast<std::uint16_t>(first_position + coeff_offset[n]);
        num += flag;
        significant = significant << 1 | flag;
      }
      // Of a coded sub-block without another one, it is significant by inference.
      unsigned flag = 1;
      if (i == 0) {
        flag = engine.decision(*dc_context);
      } else if (num != 0) {
        flag = engine.decision(word, *context);
      }
      position[num] = static_cast<std::uint16_t>(first_position);
      num += flag;
      significant = significant << 1 | flag;
      if (num == 0) break;
    }

    // coeff_abs_level_greater1_flag and greater2_flag (9.3.4.2.6, 9.3.4.2.7)
    const unsigned ctxSet = (i != 0 && !is_chroma ? 2 : 0) + previous_greater1;
    entropy::ContextWord* const greater1 = greater1_contexts + 4 * ctxSet;
    const unsigned num_greater1 = num < 8 ? num : 8;
    std::uint32_t is_greater1 = 0;  // in the end, of position[m] in bit 15 - m
    std::uint32_t sumAbsLevel = num;
    // greater1Ctx counts 1, 2, 3, 3 up to the first one, and is 0 behind it. As two loops, no
    // context waits for the bin before it.
    unsigned num_read = 0;
    for (; num_read < num_greater1 && is_greater1 == 0; ++num_read) {
      is_greater1 = engine.decision(greater1[num_read < 2 ? num_read + 1 : 3]);
    }
    sumAbsLevel += is_greater1;
    if (num_read < num_greater1) {
      entropy::ContextWord word = greater1[0];
      for (; num_read < num_greater1; ++num_read) {
        const unsigned flag = engine.decision_again(word, word);
        is_greater1 = is_greater1 << 1 | flag;
        sumAbsLevel += flag;
      }
      greater1[0] = word;
    }
    is_greater1 <<= 16 - num_greater1;
    previous_greater1 = is_greater1 != 0;
    std::uint32_t escapes = 0xffffu << (16 - num) & 0xff;  // have coeff_abs_level_remaining
    std::uint32_t first_greater1 = 0;
    if (is_greater1 != 0) {
      first_greater1 = std::bit_floor(is_greater1);
      const unsigned flag = engine.decision(greater2_contexts[ctxSet]);
      escapes |= is_greater1 ^ (flag != 0 ? 0 : first_greater1);
    }
    if constexpr (kExtended) {
      if (s.cabac_bypass_alignment_enabled_flag && escapes != 0) engine.align_bypass();
    }

    const unsigned is_hidden =
        may_hide_sign &&
        static_cast<int>(std::bit_width(significant)) - std::countr_zero(significant) > 4;
    const unsigned num_signs = num - is_hidden;
    const std::uint32_t signs = bypass_bins(engine, num_signs) << (16 - num_signs);

    std::int32_t* const level = levels + count;
    if (escapes == 0) {
      write_levels(signs, is_greater1, level);
    } else {
      std::uint32_t magnitudes[16];
      for (unsigned m = 0; m < 8; ++m) magnitudes[m] = 1 + ((is_greater1 & kBits[m]) != 0);
      for (unsigned m = 8; m < 16; ++m) magnitudes[m] = 1;
      unsigned cRiceParam = 0;
      if constexpr (kExtended) {
        if (s.persistent_rice_adaptation_enabled_flag) cRiceParam = *StatCoeff / 4u;
      }
      [[maybe_unused]] bool is_first = true;
      do {
        const auto m = static_cast<unsigned>(std::countl_zero(escapes)) - 16;
        const std::uint32_t bit = 0x8000u >> m;
        const std::uint32_t remaining =
            coeff_abs_level_remaining(engine, cRiceParam, log2TransformRange, invalid);
        const std::uint32_t more = (bit == first_greater1) + remaining;
        const std::uint32_t magnitude = magnitudes[m] + more;
        magnitudes[m] = magnitude;
        sumAbsLevel += more;
        escapes ^= bit;
        if constexpr (kExtended) {
          if (s.persistent_rice_adaptation_enabled_flag) {
            if (is_first) update_stat_coeff(*StatCoeff, remaining);
            is_first = false;
            cRiceParam += magnitude > 3u << cRiceParam;
            continue;
          }
        }
        cRiceParam += cRiceParam < 4 && magnitude > 3u << cRiceParam;
      } while (escapes != 0);
      apply_signs(signs, magnitudes, level);
      if (num > 8) apply_signs(signs << 8, magnitudes + 8, level + 8);
    }
    const std::uint32_t is_odd = is_hidden & sumAbsLevel & 1;  // of either sign as often
    level[num - 1] = static_cast<std::int32_t>(
        (static_cast<std::uint32_t>(level[num - 1]) ^ (0 - is_odd)) + is_odd);
    count += num;
  }
  reader.engine = engine;
  return COPE_UNLIKELY(invalid) ? kInvalidLevels : count;
}

}  // namespace cope::h265
