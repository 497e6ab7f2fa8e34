#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/bits/bit_reader.h"
#include "cope/h264/cavlc_tables.h"
#include "cope/h264/mb_state.h"
#include "cope/h264/slice_context.h"
#include "cope/h264/vlc.h"

namespace cope::h264 {

/// Syntax elements of slice data coded with Exp-Golomb codes and CAVLC (9.1, 9.2): the methods of
/// `CabacReader`, whose context arguments have no meaning here. Values are as coded, range not
/// checked.
///
/// With data partitioning the categories 3 and 4 (residual of intra and inter macroblocks) come
/// from partitions B and C (7.3.2.9).
class CavlcReader {
 public:
  static constexpr bool kIsCabac = false;

  COPE_HD CavlcReader(const bits::BitReader& slice_data, const bits::BitReader& partition_b,
                      const bits::BitReader& partition_c, bool has_data_partitions) noexcept
      : a_(slice_data),
        b_(partition_b),
        c_(partition_c),
        intra_residual_(has_data_partitions ? &b_ : &a_),
        inter_residual_(has_data_partitions ? &c_ : &a_),
        residual_(&a_) {}
  CavlcReader(const CavlcReader&) = delete;
  CavlcReader& operator=(const CavlcReader&) = delete;

  COPE_HD std::size_t bit_pos() const noexcept { return a_.bit_pos(); }
  COPE_HD bool overrun() const noexcept { return a_.overrun() || b_.overrun() || c_.overrun(); }
  /// Whether what was read last may have come from behind the data: codes are looked up in 32 bits.
  COPE_HD bool is_at_end() const noexcept {
    return overrun() || a_.bits_left() < 32 || residual_->bits_left() < 32;
  }
  COPE_HD bool more_rbsp_data() const noexcept { return a_.more_rbsp_data(); }

  COPE_HD std::uint32_t mb_skip_run() noexcept { return a_.ue(); }
  COPE_HD bool mb_field_decoding_flag(bool, bool) noexcept { return a_.flag(); }
  COPE_HD unsigned mb_type() noexcept { return a_.ue(); }
  COPE_HD unsigned sub_mb_type_p() noexcept { return a_.ue(); }
  COPE_HD unsigned sub_mb_type_b() noexcept { return a_.ue(); }
  COPE_HD bool transform_size_8x8_flag(const MbState&, const MbState&) noexcept {
    return a_.flag();
  }
  COPE_HD bool prev_intra_pred_mode_flag() noexcept { return a_.flag(); }
  COPE_HD unsigned rem_intra_pred_mode() noexcept { return a_.u(3); }
  COPE_HD unsigned intra_chroma_pred_mode(const MbState&, const MbState&) noexcept {
    return a_.ue();
  }
  COPE_HD unsigned ref_idx(unsigned, unsigned max_ref_idx) noexcept { return a_.te(max_ref_idx); }
  COPE_HD int mvd(bool, unsigned) noexcept { return a_.se(); }
  COPE_HD int mb_qp_delta(bool) noexcept { return a_.se(); }

  /// me(v); 0xff when the code number has no pattern.
  template <class Neighbours>
  COPE_HD unsigned coded_block_pattern(const Neighbours&, unsigned ChromaArrayType,
                                       bool intra) noexcept {
    const std::uint32_t code = a_.ue();
    if (ChromaArrayType == 1 || ChromaArrayType == 2) {
      return code < 48 ? kCodedBlockPattern[intra ? 0 : 1][code] : 0xff;
    }
    return code < 16 ? kCodedBlockPatternNoChroma[intra ? 0 : 1][code] : 0xff;
  }

  COPE_HD void pcm_samples(std::size_t num_bits) noexcept {
    a_.skip((8 - (a_.bit_pos() & 7)) & 7);
    a_.skip(num_bits);
  }

  /// Says whose residual follows.
  COPE_HD void begin_residual(bool intra) noexcept {
    residual_ = intra ? intra_residual_ : inter_residual_;
  }

  /// residual_block_cavlc() (7.3.5.3.2, 9.2): the non-zero levels in ascending scan position,
  /// `first_position` added to each. nC as in 9.2.1: -1 and -2 for chroma DC of 4:2:0 and 4:2:2.
  /// Returns TotalCoeff, or -1 for a code that does not exist.
  COPE_HD int residual_block(int nC, unsigned maxNumCoeff, unsigned first_position,
                             std::uint16_t* positions, std::int32_t* levels) noexcept;

 private:
  bits::BitReader a_;
  bits::BitReader b_;
  bits::BitReader c_;
  bits::BitReader* intra_residual_;
  bits::BitReader* inter_residual_;
  bits::BitReader* residual_;
};

/// Levels of one block, highest frequency first (9.2.2): `count` of them into levels[count - 1 ..
/// 0].
COPE_HD inline bool read_levels(bits::BitReader& r, unsigned count, unsigned trailing_ones,
                                std::int32_t* levels) noexcept {
  unsigned c = count;
  for (unsigned i = 0; i < trailing_ones; ++i) levels[--c] = r.flag() ? -1 : 1;
  unsigned suffixLength = count > 10 && trailing_ones < 3 ? 1 : 0;
  bool first = trailing_ones < 3;  // such a level cannot be +-1, so the code is shifted
  while (c != 0) {
    const unsigned level_prefix = leading_zeros(r.peek32());
    if (level_prefix > 25) return false;  // beyond what 14-bit video needs (9.2.2.1)
    r.skip(level_prefix + 1);
    const unsigned suffix_size = level_prefix >= 15
                                     ? level_prefix - 3
                                     : (level_prefix == 14 && suffixLength == 0 ? 4 : suffixLength);
    std::uint32_t levelCode = (level_prefix < 15 ? level_prefix : 15) << suffixLength;
    if (suffix_size != 0) levelCode += r.u(suffix_size);
    if (level_prefix >= 15 && suffixLength == 0) levelCode += 15;
    if (level_prefix >= 16) levelCode += (1u << (level_prefix - 3)) - 4096;
    if (first) {
      levelCode += 2;
      first = false;
    }
    const auto magnitude = static_cast<std::int32_t>((levelCode + 2) >> 1);
    levels[--c] = (levelCode & 1) != 0 ? -magnitude : magnitude;
    if (suffixLength == 0) suffixLength = 1;
    if (magnitude > 3 << (suffixLength - 1) && suffixLength < 6) ++suffixLength;
  }
  return true;
}

COPE_HD inline int CavlcReader::residual_block(int nC, unsigned maxNumCoeff,
                                               unsigned first_position, std::uint16_t* positions,
                                               std::int32_t* levels) noexcept {
  bits::BitReader& r = *residual_;
  const std::uint32_t next = r.peek32();
  const VlcEntry token = nC >= 0 ? find_coeff_token(static_cast<unsigned>(nC), next)
                                 : find_coeff_token_chroma_dc(nC == -2, next);
  if (token.length == 0) return -1;
  r.skip(token.length);
  const unsigned count = token.value >> 2;
  if (count == 0) return 0;
  if (count > maxNumCoeff || !read_levels(r, count, token.value & 3, levels)) return -1;

  unsigned zerosLeft = 0;
  if (count < maxNumCoeff) {
    const VlcEntry total_zeros = maxNumCoeff <= 8
                                     ? find_total_zeros_chroma_dc(nC == -2, count, r.peek32())
                                     : find_total_zeros(count, r.peek32());
    if (total_zeros.length == 0) return -1;
    r.skip(total_zeros.length);
    zerosLeft = total_zeros.value;
    if (zerosLeft + count > maxNumCoeff) return -1;
  }
  unsigned position = zerosLeft + count - 1;
  for (unsigned c = count; c-- != 0;) {
    positions[c] = static_cast<std::uint16_t>(position + first_position);
    if (c == 0) break;
    unsigned run = 0;
    if (zerosLeft != 0) {
      const VlcEntry run_before = find_run_before(zerosLeft, r.peek32());
      if (run_before.length == 0 || run_before.value > zerosLeft) return -1;
      r.skip(run_before.length);
      run = run_before.value;
      zerosLeft -= run;
    }
    position -= run + 1;
  }
  return static_cast<int>(count);
}

}  // namespace cope::h264
