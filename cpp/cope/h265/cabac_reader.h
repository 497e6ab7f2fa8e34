#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/entropy/cabac_engine.h"
#include "cope/entropy/context_model.h"
#include "cope/h265/cabac_tables.h"
#include "cope/h265/slice_context.h"

namespace cope::h265 {

/// PartMode, Table 7-10.
enum PartMode : std::uint8_t {
  PART_2Nx2N = 0,
  PART_2NxN = 1,
  PART_Nx2N = 2,
  PART_NxN = 3,
  PART_2NxnU = 4,
  PART_2NxnD = 5,
  PART_nLx2N = 6,
  PART_nRx2N = 7,
};

/// inter_pred_idc as a set of lists: bit X says that list X is used.
enum InterPredIdc : std::uint8_t { PRED_L0 = 1, PRED_L1 = 2, PRED_BI = 3 };

/// `n` bypass bins, the first one highest; n in 0..32.
COPE_HD COPE_FORCE_INLINE std::uint32_t bypass_bins(entropy::CabacEngine& engine,
                                                    unsigned n) noexcept {
  if (COPE_LIKELY(n <= 16)) return engine.bypass_bins(n);
  const std::uint32_t high = engine.bypass_bins(n - 16);
  return high << 16 | engine.bypass_bins(16);
}

/// k-th order Exp-Golomb code of bypass bins (9.3.3.4). Longer prefixes than valid streams have
/// end the loop, not the parse.
COPE_HD COPE_FORCE_INLINE std::uint32_t exp_golomb(entropy::CabacEngine& engine,
                                                   unsigned k) noexcept {
  const unsigned bins = engine.peek_bypass();
  const auto prefix = static_cast<unsigned>(std::countl_one(static_cast<std::uint16_t>(bins)));
  const unsigned length = 2 * prefix + 1 + k;
  if (COPE_LIKELY(length <= 16)) {
    engine.skip_bypass(length, bins >> (16 - length));
    const unsigned suffix = bins >> (16 - length) & ((1u << (prefix + k)) - 1);
    return (((1u << prefix) - 1) << k) + suffix;
  }
  std::uint32_t value = 0;
  while (k < 24 && engine.bypass() != 0) value += 1u << k++;
  return value + bypass_bins(engine, k);
}

/// Syntax elements of slice segment data but for residual_coding(), one method each (9.3).
/// Binarisations and context increments are the standard's; what they depend on comes in as
/// arguments.
///
/// A reader is small but for the contexts, which it only points at: a function that reads several
/// bins copies it into a local, where the engine lives in registers, and back at its end. For that
/// every method is inline.
class CabacReader {
 public:
  COPE_HD CabacReader(EntropyState& entropy, const std::uint8_t* rbsp, std::size_t size,
                      std::size_t data_bit_offset) noexcept
      : state(&entropy), rbsp_(rbsp), end_(rbsp + size) {
    start_at((data_bit_offset + 7) / 8);
  }

  /// Initial state of all contexts (9.3.2.2).
  COPE_HD void init_contexts(const SliceParams& slice) noexcept {
    const bool swapped = slice.cabac_init_flag;
    const int initType = slice.slice_type == 2 ? 0 : (slice.slice_type == 1) != swapped ? 1 : 2;
    for (int i = 0; i < kNumContexts; ++i) {
      const int initValue = kCabacInitValue[initType][i];
      state->contexts[i] = entropy::kBinWords.word[entropy::init_context(
          (initValue >> 4) * 5 - 45, ((initValue & 15) << 3) - 16, slice.SliceQpY)];
    }
    std::memset(state->StatCoeff, 0, sizeof state->StatCoeff);
  }

  /// Bits of the RBSP consumed so far.
  COPE_HD std::size_t bit_pos() const noexcept { return begin_bits_ + engine.bit_pos(); }
  COPE_HD bool overrun() const noexcept { return overrun_ || engine.overrun(); }

  COPE_HD bool end_of_slice_segment_flag() noexcept { return engine.terminate(); }
  COPE_HD bool end_of_subset_one_bit() noexcept { return engine.terminate(); }
  COPE_HD bool pcm_flag() noexcept { return engine.terminate(); }

  /// Goes to the first byte boundary behind a terminating bin, skips `num_bits` rounded up to
  /// bytes, and starts the engine anew (9.3.2.5).
  COPE_HD void restart_behind(std::size_t num_bits) noexcept {
    const std::size_t pos = begin_bits_ + engine.bit_pos_after_terminate();
    start_at((pos + 7) / 8 + (num_bits + 7) / 8);
  }

  COPE_HD COPE_FORCE_INLINE bool sao_merge_flag() noexcept {
    return bin(kCtxSaoMergeLeftFlagUpFlag);
  }
  /// 0 none, 1 band, 2 edge.
  COPE_HD COPE_FORCE_INLINE unsigned sao_type_idx() noexcept {
    return bin(kCtxSaoTypeIdx) == 0 ? 0 : 1 + engine.bypass();
  }
  COPE_HD COPE_FORCE_INLINE unsigned sao_offset_abs(unsigned cMax) noexcept {
    unsigned value = 0;
    while (value < cMax && engine.bypass() != 0) ++value;
    return value;
  }
  /// Bypass bins of a fixed length: signs, sao_band_position, sao_eo_class,
  /// rem_intra_luma_pred_mode.
  COPE_HD COPE_FORCE_INLINE std::uint32_t fixed_length(unsigned n) noexcept {
    return bypass_bins(engine, n);
  }

  COPE_HD COPE_FORCE_INLINE bool split_cu_flag(int inc) noexcept {
    return bin(kCtxSplitCuFlag + inc);
  }
  COPE_HD COPE_FORCE_INLINE bool cu_transquant_bypass_flag() noexcept {
    return bin(kCtxCuTransquantBypassFlag);
  }
  COPE_HD COPE_FORCE_INLINE bool cu_skip_flag(int inc) noexcept {
    return bin(kCtxCuSkipFlag + inc);
  }
  COPE_HD COPE_FORCE_INLINE bool pred_mode_flag() noexcept { return bin(kCtxPredModeFlag); }

  /// part_mode of an intra coding unit of the smallest size.
  COPE_HD COPE_FORCE_INLINE PartMode part_mode_intra() noexcept {
    return bin(kCtxPartMode) ? PART_2Nx2N : PART_NxN;
  }

  /// part_mode of an inter coding unit (Table 9-41).
  COPE_HD COPE_FORCE_INLINE PartMode part_mode_inter(bool is_smallest, bool may_split_in_four,
                                                     bool amp) noexcept {
    if (bin(kCtxPartMode)) return PART_2Nx2N;
    const bool horizontal = bin(kCtxPartMode + 1);
    if (is_smallest) {
      if (horizontal) return PART_2NxN;
      return !may_split_in_four || bin(kCtxPartMode + 2) ? PART_Nx2N : PART_NxN;
    }
    if (!amp || bin(kCtxPartMode + 3)) return horizontal ? PART_2NxN : PART_Nx2N;
    const unsigned second = engine.bypass();
    return static_cast<PartMode>((horizontal ? PART_2NxnU : PART_nLx2N) + second);
  }

  COPE_HD COPE_FORCE_INLINE bool prev_intra_luma_pred_flag() noexcept {
    return bin(kCtxPrevIntraLumaPredFlag);
  }
  COPE_HD COPE_FORCE_INLINE unsigned mpm_idx() noexcept {
    return engine.bypass() == 0 ? 0 : 1 + engine.bypass();
  }
  COPE_HD COPE_FORCE_INLINE unsigned intra_chroma_pred_mode() noexcept {
    return bin(kCtxIntraChromaPredMode) == 0 ? 4 : bypass_bins(engine, 2);
  }
  COPE_HD COPE_FORCE_INLINE bool rqt_root_cbf() noexcept { return bin(kCtxRqtRootCbf); }

  COPE_HD COPE_FORCE_INLINE bool merge_flag() noexcept { return bin(kCtxMergeFlag); }
  COPE_HD COPE_FORCE_INLINE unsigned merge_idx(unsigned MaxNumMergeCand) noexcept {
    if (MaxNumMergeCand < 2 || bin(kCtxMergeIdx) == 0) return 0;
    unsigned value = 1;
    while (value < MaxNumMergeCand - 1 && engine.bypass() != 0) ++value;
    return value;
  }

  COPE_HD COPE_FORCE_INLINE InterPredIdc inter_pred_idc(bool may_be_bi, int CtDepth) noexcept {
    if (may_be_bi && bin(kCtxInterPredIdc + CtDepth)) return PRED_BI;
    return bin(kCtxInterPredIdc + 4) ? PRED_L1 : PRED_L0;
  }

  COPE_HD COPE_FORCE_INLINE unsigned ref_idx(unsigned num_ref_idx_active) noexcept {
    const unsigned cMax = num_ref_idx_active - 1;
    unsigned value = 0;
    while (value < cMax && value < 2 && bin(kCtxRefIdxL0L1 + static_cast<int>(value))) ++value;
    if (value == 2) {
      while (value < cMax && engine.bypass() != 0) ++value;
    }
    return value;
  }

  COPE_HD COPE_FORCE_INLINE bool mvp_flag() noexcept { return bin(kCtxMvpL0FlagL1Flag); }

  /// mvd_coding() (7.3.8.9).
  COPE_HD COPE_FORCE_INLINE prim::MotionVector mvd_coding() noexcept {
    entropy::ContextWord* const greater0 = state->contexts + kCtxAbsMvdGreater0Flag;
    entropy::ContextWord* const greater1 = state->contexts + kCtxAbsMvdGreater1Flag;
    unsigned x = engine.decision(*greater0);
    unsigned y = engine.decision(*greater0);
    if (x != 0) x += engine.decision(*greater1);
    if (y != 0) y += engine.decision(*greater1);
    const int mvd_x = mvd_component(x);
    const int mvd_y = mvd_component(y);
    return {static_cast<std::int16_t>(mvd_x), static_cast<std::int16_t>(mvd_y)};
  }

  COPE_HD COPE_FORCE_INLINE bool split_transform_flag(int log2TrafoSize) noexcept {
    return bin(kCtxSplitTransformFlag + 5 - log2TrafoSize);
  }
  COPE_HD COPE_FORCE_INLINE bool cbf_luma(int trafoDepth) noexcept {
    return bin(kCtxCbfLuma + (trafoDepth == 0));
  }
  COPE_HD COPE_FORCE_INLINE unsigned cbf_chroma(int trafoDepth) noexcept {
    return bin(kCtxCbfCbCbfCr + trafoDepth);
  }

  /// CuQpDeltaVal.
  COPE_HD COPE_FORCE_INLINE int cu_qp_delta() noexcept {
    if (!bin(kCtxCuQpDeltaAbs)) return 0;
    unsigned value = 1;
    while (value < 5 && bin(kCtxCuQpDeltaAbs + 1)) ++value;
    if (value == 5) value += exp_golomb(engine, 0);
    return engine.bypass() != 0 ? -static_cast<int>(value) : static_cast<int>(value);
  }

  COPE_HD COPE_FORCE_INLINE bool cu_chroma_qp_offset_flag() noexcept {
    return bin(kCtxCuChromaQpOffsetFlag);
  }
  COPE_HD COPE_FORCE_INLINE unsigned cu_chroma_qp_offset_idx(unsigned cMax) noexcept {
    unsigned value = 0;
    while (value < cMax && bin(kCtxCuChromaQpOffsetIdx)) ++value;
    return value;
  }

  /// cross_comp_pred() (7.3.8.12): ResScaleVal. `c`: 0 Cb, 1 Cr.
  COPE_HD COPE_FORCE_INLINE int res_scale_val(int c) noexcept {
    unsigned log2_res_scale_abs_plus1 = 0;
    while (log2_res_scale_abs_plus1 < 4 &&
           bin(kCtxLog2ResScaleAbsPlus1 + 4 * c + static_cast<int>(log2_res_scale_abs_plus1))) {
      ++log2_res_scale_abs_plus1;
    }
    if (log2_res_scale_abs_plus1 == 0) return 0;
    const int magnitude = 1 << (log2_res_scale_abs_plus1 - 1);
    return bin(kCtxResScaleSignFlag + c) ? -magnitude : magnitude;
  }

  // residual_coding.h works on both directly.
  entropy::CabacEngine engine;
  EntropyState* state;

 private:
  COPE_HD COPE_FORCE_INLINE unsigned bin(int ctxIdx) noexcept {
    return engine.decision(state->contexts[ctxIdx]);
  }

  /// The rest of one component; `greater` is the sum of its two flags.
  COPE_HD COPE_FORCE_INLINE int mvd_component(unsigned greater) noexcept {
    if (greater == 0) return 0;
    const auto magnitude = static_cast<int>(greater == 1 ? 1 : 2 + exp_golomb(engine, 1));
    return engine.bypass() != 0 ? -magnitude : magnitude;
  }

  COPE_HD void start_at(std::size_t byte) noexcept {
    const auto size = static_cast<std::size_t>(end_ - rbsp_);
    if (byte > size) {
      overrun_ = true;
      byte = size;
    }
    begin_bits_ = byte * 8;
    engine = entropy::CabacEngine(rbsp_ + byte, end_);
  }

  const std::uint8_t* rbsp_;
  const std::uint8_t* end_;
  std::size_t begin_bits_ = 0;  // where the engine started, in the RBSP
  bool overrun_ = false;
};

}  // namespace cope::h265
