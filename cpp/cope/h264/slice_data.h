#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/h264/inter_pred.h"
#include "cope/h264/local_reader.h"
#include "cope/h264/mb_state.h"
#include "cope/h264/mb_type_tables.h"
#include "cope/h264/motion_syntax.h"
#include "cope/h264/qp.h"
#include "cope/h264/residual.h"
#include "cope/h264/slice_context.h"
#include "cope/prim/block_map.h"

namespace cope::h264 {

/// Parses slice_data() (7.3.4) of one slice into arrays that the caller sized.
///
/// `Reader` is CabacReader or CavlcReader; the syntax is written once for both. Host and device
/// code: no allocation, no exception, no virtual call. Vectors are not derived here, only their
/// syntax kept.
template <class Reader, bool kMbaff>
class SliceDataParser {
 public:
  COPE_HD SliceDataParser(const SliceParams& slice, const PictureArrays& out, OutputCursor& cursor,
                          Reader& reader) noexcept
      : s_(slice), out_(out), cursor_(cursor), r_(reader) {
    locator_.mbs = out.mbs;
    locator_.PicWidthInMbs = slice.PicWidthInMbs;
    locator_.slice_id = slice.slice_id;
    locator_.chroma_rows = slice.ChromaArrayType == 2 ? 4 : 2;
    set_qp(slice.SliceQPY);
  }

  COPE_HD SliceResult parse() noexcept {
    const bool inter_slice = s_.slice_type != kI && s_.slice_type != kSI;
    std::uint32_t mb_skip_run = 0;
    bool run_pending = false;  // mb_skip_run was read and the macroblock behind it was not yet
    LocalReader<Reader> r(r_);
    std::size_t start = r->bit_pos();

    for (CurrMbAddr_ = s_.first_mb_addr;; CurrMbAddr_ = next_mb_address()) {
      if (CurrMbAddr_ >= s_.PicSizeInMbs) return stop(SliceEnd::kTooManyMbs, start);
      begin_macroblock();
      if (COPE_UNLIKELY(out_.slice_idx[block_] != prim::kNoSlice))
        return stop(SliceEnd::kOverlap, start);

      bool skipped = false;
      if (inter_slice) {
        if constexpr (Reader::kIsCabac) {
          skipped = r->mb_skip_flag(s_.slice_type == kB, *n_.left, *n_.above);
        } else {
          if (!run_pending) {
            mb_skip_run = r->mb_skip_run();
            run_pending = true;
          }
          skipped = mb_skip_run != 0;
          if (skipped) --mb_skip_run;
        }
      }
      bool more = true;
      if (skipped) {
        store_skip();
        if constexpr (!Reader::kIsCabac) {
          if (mb_skip_run == 0) more = r->more_rbsp_data();
        }
      } else {
        run_pending = false;
        if (cursor_.num_levels + kMaxLevelsPerMb > out_.max_levels ||
            cursor_.num_records + kMaxRecordsPerMb > out_.max_records ||
            cursor_.num_mvds + kMaxMvdPerMb > out_.max_mvds) {
          return stop(SliceEnd::kOutputFull, start);
        }
        if (kMbaff && (!is_bottom_ || prev_mb_skipped_)) read_mb_field_decoding_flag(r);
        if (COPE_UNLIKELY(!macroblock_layer(r, read_mb_type(r)))) {
          r.put_back();
          return damaged();
        }
        if constexpr (!Reader::kIsCabac) more = r->more_rbsp_data();
      }
      if constexpr (Reader::kIsCabac) {
        if (!kMbaff || is_bottom_) more = !r->end_of_slice_flag();
      }
      if (COPE_UNLIKELY(r->overrun())) {
        r.put_back();
        return damaged();
      }
      if constexpr (kMbaff) prev_mb_skipped_ = skipped;

      const std::size_t end = r->bit_pos();
      out_.bits[block_] = static_cast<std::uint32_t>(end - start);
      start = end;
      ++num_mbs_;
      if (!more) {
        r.put_back();
        return finish();
      }
    }
  }

 private:
  // SliceType of slice_header.h, which is not device code.
  static constexpr std::uint8_t kB = 1;
  static constexpr std::uint8_t kI = 2;
  static constexpr std::uint8_t kSI = 4;

  COPE_HD SliceResult stop(SliceEnd end, std::size_t bit_pos) const noexcept {
    return {end, element_, static_cast<std::int64_t>(bit_pos), num_mbs_};
  }

  /// The slice says that it is complete.
  COPE_HD SliceResult finish() noexcept {
    if (kMbaff && !is_bottom_) {  // data that were cut may end like this
      if (prev_mb_skipped_) take_back(CurrMbAddr_, block_);
      return stop(SliceEnd::kOverrun, r_.bit_pos());
    }
    if constexpr (Reader::kIsCabac) {
      if (COPE_UNLIKELY(!r_.ends_in_order())) return stop(SliceEnd::kTrailingData, r_.bit_pos());
    }
    return stop(SliceEnd::kComplete, r_.bit_pos());
  }

  COPE_HD void take_back(std::int32_t mb_addr, std::size_t block) noexcept {
    out_.mbs[mb_addr].slice_id = 0;
    out_.type[block] = static_cast<std::uint8_t>(prim::BlockType::kLost);
    out_.slice_idx[block] = prim::kNoSlice;
  }

  /// Takes the current macroblock back: what was read of it cannot be trusted. Nor can the skipped
  /// one above it in its pair, for it is the lower one that says whether both are field
  /// macroblocks.
  COPE_HD SliceResult damaged() noexcept {
    take_back(CurrMbAddr_, block_);
    if (kMbaff && is_bottom_ && prev_mb_skipped_) {
      take_back(CurrMbAddr_ - 1, block_ - static_cast<std::size_t>(s_.PicWidthInMbs));
    }
    cursor_ = begin_;
    return stop(
        element_ != nullptr && !r_.is_at_end() ? SliceEnd::kInvalidSyntax : SliceEnd::kOverrun,
        r_.bit_pos());
  }

  COPE_HD bool invalid(const char* element) noexcept {
    element_ = element;
    return false;
  }

  /// NextMbAddress (8.2.2).
  COPE_HD std::int32_t next_mb_address() const noexcept {
    const std::uint8_t* const map = out_.mb_to_slice_group_map;
    std::int32_t next = CurrMbAddr_ + 1;
    if (map != nullptr) {
      while (next < s_.PicSizeInMbs && map[next] != map[CurrMbAddr_]) ++next;
    }
    return next;
  }

  COPE_HD COPE_FORCE_INLINE void begin_macroblock() noexcept {
    begin_ = cursor_;
    if constexpr (kMbaff) {
      const std::int32_t pair = CurrMbAddr_ >> 1;
      is_bottom_ = (CurrMbAddr_ & 1) != 0;
      mb_x_ = pair % s_.PicWidthInMbs;
      mb_row_ = 2 * (pair / s_.PicWidthInMbs) + is_bottom_;
      if (!is_bottom_) {
        is_field_ = inferred_field_flag();
        prev_mb_skipped_ = false;
      }
      block_ = static_cast<std::size_t>(mb_row_) * static_cast<std::size_t>(s_.PicWidthInMbs) +
               static_cast<std::size_t>(mb_x_);
    } else {
      const std::int32_t steps = CurrMbAddr_ - static_cast<std::int32_t>(block_);
      if (num_mbs_ != 0 && steps == 1) {  // without the divisions
        if (++mb_x_ == s_.PicWidthInMbs) {
          mb_x_ = 0;
          ++mb_row_;
        }
      } else {
        mb_x_ = CurrMbAddr_ % s_.PicWidthInMbs;
        mb_row_ = CurrMbAddr_ / s_.PicWidthInMbs;
      }
      block_ = static_cast<std::size_t>(CurrMbAddr_);
    }
    n_ = locator_.find(CurrMbAddr_, mb_x_, is_field_);
  }

  /// mb_field_decoding_flag where it is not present for the pair (7.4.4).
  COPE_HD bool inferred_field_flag() const noexcept {
    if (const std::int32_t a = locator_.left_pair(CurrMbAddr_, mb_x_); a >= 0) {
      return (out_.mbs[a].flags & kMbField) != 0;
    }
    if (const std::int32_t b = locator_.above_pair(CurrMbAddr_); b >= 0) {
      return (out_.mbs[b].flags & kMbField) != 0;
    }
    return false;
  }

  COPE_HD COPE_FORCE_INLINE void read_mb_field_decoding_flag(LocalReader<Reader>& r) noexcept {
    const std::int32_t a = locator_.left_pair(CurrMbAddr_, mb_x_);
    const std::int32_t b = locator_.above_pair(CurrMbAddr_);
    is_field_ = r->mb_field_decoding_flag(a >= 0 && (out_.mbs[a].flags & kMbField) != 0,
                                          b >= 0 && (out_.mbs[b].flags & kMbField) != 0);
    n_ = locator_.find(CurrMbAddr_, mb_x_, is_field_);
    if (is_bottom_) {  // the skipped macroblock above shares the flag
      MbState& top = out_.mbs[CurrMbAddr_ - 1];
      const std::size_t top_block = block_ - static_cast<std::size_t>(s_.PicWidthInMbs);
      top.flags =
          static_cast<std::uint16_t>(is_field_ ? top.flags | kMbField : top.flags & ~kMbField);
      out_.flags[top_block] =
          static_cast<std::uint8_t>(is_field_ ? out_.flags[top_block] | prim::kFieldBlock
                                              : out_.flags[top_block] & ~prim::kFieldBlock);
    }
  }

  /// Fills the block map of the current macroblock.
  COPE_HD COPE_FORCE_INLINE void store_block(prim::BlockType type, unsigned flags) noexcept {
    out_.type[block_] = static_cast<std::uint8_t>(type);
    out_.flags[block_] =
        static_cast<std::uint8_t>(flags | (kMbaff && is_field_ ? unsigned{prim::kFieldBlock} : 0u));
    out_.partition_shape[block_] = 0;
    out_.partition[block_] = 0;
    out_.qp[block_] = static_cast<std::int8_t>(QPY_);
    out_.slice_idx[block_] = s_.slice_idx;
  }

  COPE_HD COPE_FORCE_INLINE void begin_state(unsigned flags) noexcept {
    MbState& mb = out_.mbs[CurrMbAddr_];
    mb = MbState{};
    mb.slice_id = s_.slice_id;
    mb.flags = static_cast<std::uint16_t>(flags | (kMbaff && is_field_ ? unsigned{kMbField} : 0u));
    if constexpr (!Reader::kIsCabac) std::memset(out_.total_coeff[CurrMbAddr_], 0, 48);
    if (out_.intra_pred_mode != nullptr) std::memset(out_.intra_pred_mode[CurrMbAddr_], 2, 16);
  }

  COPE_HD COPE_FORCE_INLINE void store_skip() noexcept {
    const bool direct = s_.slice_type == kB;
    begin_state(kMbSkip | (direct ? kMbDirect16x16 : 0));
    store_block(prim::BlockType::kSkip, direct ? prim::kDirect : 0);
    prev_qp_delta_nonzero_ = false;
  }

  // ---- macroblock_layer() (7.3.5)
  // ----------------------------------------------------------------

  COPE_HD COPE_FORCE_INLINE bool macroblock_layer(LocalReader<Reader>& r,
                                                  unsigned mb_type) noexcept {
    const unsigned num_inter = s_.slice_type == kB ? 23 : s_.slice_type == kI ? 0 : 5;
    if (s_.slice_type != kSI && mb_type < num_inter) return inter_macroblock(r, mb_type);
    r.put_back();
    bool ok = true;
    if (s_.slice_type == kSI) {
      ok = mb_type == 0 ? si_macroblock() : intra_macroblock(mb_type - 1);
    } else {
      ok = intra_macroblock(mb_type - num_inter);
    }
    r.take_again();
    return ok;
  }

  /// mb_type as Tables 7-11 to 7-14 number it; of an SI slice: 0 for SI, 1 + MbTypeI.
  COPE_HD COPE_FORCE_INLINE unsigned read_mb_type(LocalReader<Reader>& r) noexcept {
    if constexpr (Reader::kIsCabac) {
      const MbState& a = *n_.left;
      const MbState& b = *n_.above;
      switch (s_.slice_type) {
        case kI:
          return r->mb_type_i(a, b);
        case kSI:
          return r->mb_type_is_si(a, b) ? 0 : 1 + r->mb_type_i(a, b);
        case kB:
          return r->mb_type_b(a, b);
        default:
          return r->mb_type_p();
      }
    } else {
      return r->mb_type();
    }
  }

  COPE_HD bool si_macroblock() noexcept {
    begin_state(kMbIntra | kMbSI);
    return i_nxn(prim::BlockType::kI4x4, false);
  }

  COPE_HD bool intra_macroblock(unsigned mb_type) noexcept {
    if (mb_type > kI_PCM) return invalid("mb_type");
    if (mb_type == kI_PCM) return pcm_macroblock();
    if (mb_type == kI_NxN) {
      begin_state(kMbIntra | kMbINxN);
      const bool transform_size_8x8_flag =
          s_.transform_8x8_mode_flag && r_.transform_size_8x8_flag(*n_.left, *n_.above);
      return i_nxn(transform_size_8x8_flag ? prim::BlockType::kI8x8 : prim::BlockType::kI4x4,
                   transform_size_8x8_flag);
    }
    begin_state(kMbIntra);
    const Intra16x16TypeInfo info = kIntra16x16TypeInfo[mb_type - 1];
    ResidualMb mb;
    mb.is_intra = true;
    mb.is_intra16x16 = true;
    mb.intra16x16_pred_mode = info.Intra16x16PredMode;
    mb.coded_block_pattern =
        info.CodedBlockPatternLuma | static_cast<unsigned>(info.CodedBlockPatternChroma) << 4;
    LocalReader<Reader> r(r_);
    if (!read_intra_chroma_pred_mode(r, mb)) return false;
    return qp_and_residual(r, mb, prim::BlockType::kI16x16, 0);
  }

  COPE_HD bool pcm_macroblock() noexcept {
    begin_state(kMbIntra | kMbPcm);
    MbState& mb = out_.mbs[CurrMbAddr_];
    mb.coded = ~std::uint32_t{0};
    mb.coded_block_pattern = 0x2f;
    if constexpr (!Reader::kIsCabac) std::memset(out_.total_coeff[CurrMbAddr_], 16, 48);
    const std::size_t chroma_samples =
        s_.ChromaArrayType == 0 ? 0 : 128u << (s_.ChromaArrayType - 1);
    r_.pcm_samples(256u * s_.BitDepthY + chroma_samples * s_.BitDepthC);
    prev_qp_delta_nonzero_ = false;
    store_block(prim::BlockType::kPcm, 0);
    return true;
  }

  /// mb_pred() of I_NxN and SI, then the rest of the macroblock.
  COPE_HD bool i_nxn(prim::BlockType type, bool transform_size_8x8_flag) noexcept {
    MbState& state = out_.mbs[CurrMbAddr_];
    ResidualMb mb;
    mb.is_intra = true;
    mb.transform_size_8x8_flag = transform_size_8x8_flag;
    if (transform_size_8x8_flag) state.flags |= kMbTransform8x8;
    LocalReader<Reader> r(r_);
    read_intra_pred_modes(r, transform_size_8x8_flag ? 4 : 1);
    if (out_.intra_pred_mode != nullptr) mb.intra_pred_mode = out_.intra_pred_mode[CurrMbAddr_];
    if (!read_intra_chroma_pred_mode(r, mb)) return false;
    mb.coded_block_pattern = r->coded_block_pattern(n_, s_.ChromaArrayType, true);
    if (mb.coded_block_pattern == 0xff) return invalid("coded_block_pattern");
    return qp_and_residual(r, mb, type, transform_size_8x8_flag ? prim::kTransform8x8 : 0);
  }

  COPE_HD COPE_FORCE_INLINE void read_intra_pred_modes(LocalReader<Reader>& r,
                                                       unsigned step) noexcept {
    for (unsigned blk = 0; blk < 16; blk += step) {
      const bool prev_intra_pred_mode_flag = r->prev_intra_pred_mode_flag();
      const int rem = prev_intra_pred_mode_flag ? -1 : static_cast<int>(r->rem_intra_pred_mode());
      if (out_.intra_pred_mode != nullptr) store_intra_pred_mode(blk, step, rem);
    }
  }

  /// Intra4x4PredMode and Intra8x8PredMode (8.3.1.1, 8.3.2.1), on the 4x4 grid. Only lossless
  /// macroblocks need them: their residual depends on the prediction direction.
  COPE_HD void store_intra_pred_mode(unsigned blk, unsigned step,
                                     int rem_intra_pred_mode) noexcept {
    std::int8_t* const modes = out_.intra_pred_mode[CurrMbAddr_];
    const unsigned x = block_x(blk);
    const unsigned y = block_y(blk);
    int a = 0;
    int b = 0;
    bool dcPredModePredictedFlag = false;
    const auto unusable = [this](bool is_available, const MbState& mb) {
      return !is_available || ((mb.flags & kMbIntra) == 0 && s_.constrained_intra_pred_flag);
    };
    if (x != 0) {
      a = modes[4 * y + x - 1];
    } else if (unusable(n_.has_left(), n_.left_of(y))) {
      dcPredModePredictedFlag = true;
    } else {
      a = out_.intra_pred_mode[n_.left_addr_of(y)][4 * n_.left_row(y) + 3];
    }
    if (y != 0) {
      b = modes[4 * (y - 1) + x];
    } else if (unusable(n_.has_above(), *n_.above)) {
      dcPredModePredictedFlag = true;
    } else {
      b = out_.intra_pred_mode[n_.above_addr][12 + x];
    }
    const int predicted = dcPredModePredictedFlag ? 2 : (a < b ? a : b);
    int mode = predicted;
    if (rem_intra_pred_mode >= 0)
      mode = rem_intra_pred_mode < predicted ? rem_intra_pred_mode : rem_intra_pred_mode + 1;
    const unsigned size = step == 4 ? 2 : 1;
    for (unsigned dy = 0; dy < size; ++dy) {
      for (unsigned dx = 0; dx < size; ++dx)
        modes[4 * (y + dy) + x + dx] = static_cast<std::int8_t>(mode);
    }
  }

  COPE_HD COPE_FORCE_INLINE bool read_intra_chroma_pred_mode(LocalReader<Reader>& r,
                                                             ResidualMb& mb) noexcept {
    if (s_.ChromaArrayType != 1 && s_.ChromaArrayType != 2) return true;
    const unsigned mode = r->intra_chroma_pred_mode(*n_.left, *n_.above);
    if (mode > 3) return invalid("intra_chroma_pred_mode");
    mb.intra_chroma_pred_mode = static_cast<std::uint8_t>(mode);
    if (mode != 0) out_.mbs[CurrMbAddr_].flags |= kMbChromaPredNonDc;
    return true;
  }

  COPE_HD COPE_FORCE_INLINE bool inter_macroblock(LocalReader<Reader>& r,
                                                  unsigned mb_type) noexcept {
    const bool is_b = s_.slice_type == kB;
    const bool direct = is_b && mb_type == kB_Direct_16x16;
    begin_state(direct ? kMbDirect16x16 : 0);
    bool may_transform_8x8 = !direct || s_.direct_8x8_inference_flag;
    unsigned shape = 0;
    unsigned partition = 0;
    if (!direct) {
      MbMotionSyntax& motion = out_.motion[CurrMbAddr_];
      motion.first_mvd = cursor_.num_mvds;
      motion.mb_type = static_cast<std::uint8_t>(mb_type);
      motion.is_b = is_b;
      std::memset(motion.sub_mb_type, 0, sizeof motion.sub_mb_type);
      std::memset(motion.ref_idx, -1, sizeof motion.ref_idx);
      const MbTypeInfo info = is_b ? kMbTypeInfoB[mb_type] : kMbTypeInfoP[mb_type];
      InterPredParser<Reader, kMbaff> pred(s_, out_, cursor_, r_, n_, out_.mbs[CurrMbAddr_],
                                           is_field_);
      if (info.NumMbPart == 4) {
        shape = 3;
        r.put_back();
        const bool ok = pred.sub_mb_pred(motion, may_transform_8x8, partition);
        r.take_again();
        if (!ok) return invalid(pred.element());
      } else {
        shape = info.NumMbPart == 1 ? 0 : (info.MbPartWidth == 16 ? 1 : 2);
        if (!pred.mb_pred(r, motion, info)) return invalid(pred.element());
      }
    }
    ResidualMb mb;
    mb.coded_block_pattern = r->coded_block_pattern(n_, s_.ChromaArrayType, false);
    if (mb.coded_block_pattern == 0xff) return invalid("coded_block_pattern");
    if ((mb.coded_block_pattern & 15) != 0 && s_.transform_8x8_mode_flag && may_transform_8x8) {
      mb.transform_size_8x8_flag = r->transform_size_8x8_flag(*n_.left, *n_.above);
    }
    if (mb.transform_size_8x8_flag) out_.mbs[CurrMbAddr_].flags |= kMbTransform8x8;
    if (!qp_and_residual(r, mb, prim::BlockType::kInter,
                         (direct ? unsigned{prim::kDirect} : 0u) |
                             (mb.transform_size_8x8_flag ? unsigned{prim::kTransform8x8} : 0u))) {
      return false;
    }
    out_.partition_shape[block_] = static_cast<std::uint8_t>(shape);
    out_.partition[block_] = static_cast<std::uint8_t>(partition);
    return true;
  }

  /// QPY and what follows from it.
  COPE_HD void set_qp(int QPY) noexcept {
    QPY_ = QPY;
    qp_[0] = static_cast<std::uint8_t>(QPY + s_.QpBdOffsetY);
    for (int c = 0; c < 2; ++c) {
      qp_[1 + c] =
          static_cast<std::uint8_t>(derive_qp_c(QPY, s_.chroma_qp_index_offset[c], s_.QpBdOffsetC));
    }
  }

  /// The end of every macroblock but I_PCM: mb_qp_delta and residual().
  COPE_HD COPE_FORCE_INLINE bool qp_and_residual(LocalReader<Reader>& r, ResidualMb& mb,
                                                 prim::BlockType type,
                                                 unsigned block_flags) noexcept {
    MbState& state = out_.mbs[CurrMbAddr_];
    state.coded_block_pattern = static_cast<std::uint8_t>(mb.coded_block_pattern);
    if (mb.coded_block_pattern == 0 && !mb.is_intra16x16) {
      prev_qp_delta_nonzero_ = false;
      store_block(type, block_flags);
      return true;
    }
    const int mb_qp_delta = r->mb_qp_delta(prev_qp_delta_nonzero_);
    if (mb_qp_delta < -(26 + s_.QpBdOffsetY / 2) || mb_qp_delta > 25 + s_.QpBdOffsetY / 2) {
      return invalid("mb_qp_delta");
    }
    prev_qp_delta_nonzero_ = mb_qp_delta != 0;
    if (mb_qp_delta != 0) set_qp(derive_qp_y(QPY_, mb_qp_delta, s_.QpBdOffsetY));
    const bool bypass = s_.qpprime_y_zero_transform_bypass_flag && QPY_ + s_.QpBdOffsetY == 0;
    store_block(type, block_flags | (bypass ? unsigned{prim::kTransquantBypass} : 0u));

    mb.CurrMbAddr = CurrMbAddr_;
    mb.mb_x = mb_x_;
    mb.mb_row = mb_row_;
    mb.is_field = s_.field_pic_flag || is_field_;
    mb.transform_bypass = bypass;
    for (int i = 0; i < 3; ++i) mb.qp[i] = qp_[i];
    ResidualParser<Reader, kMbaff> residual(s_, out_, cursor_, r_, n_, mb);
    r.put_back();
    const bool ok = residual.parse(state.coded);
    r.take_again();
    return ok || invalid("residual_block");
  }

  const SliceParams& s_;
  const PictureArrays& out_;
  OutputCursor& cursor_;
  Reader& r_;
  MbLocator<kMbaff> locator_;
  MbNeighbours<kMbaff> n_;
  OutputCursor begin_;  // of the current macroblock
  std::int32_t CurrMbAddr_ = 0;
  std::int32_t mb_x_ = 0;
  std::int32_t mb_row_ = 0;
  std::size_t block_ = 0;  // index into the block map
  std::int32_t num_mbs_ = 0;
  int QPY_ = 0;
  std::uint8_t qp_[3] = {};  // QP'Y, QP'C of Cb and of Cr
  bool prev_qp_delta_nonzero_ = false;
  bool prev_mb_skipped_ = false;
  bool is_bottom_ = false;
  bool is_field_ = false;  // mb_field_decoding_flag
  const char* element_ = nullptr;
};

/// slice_data() of a picture or of an MBAFF frame, which find neighbours differently.
template <class Reader>
COPE_HD SliceResult parse_slice_data(const SliceParams& slice, const PictureArrays& out,
                                     OutputCursor& cursor, Reader& reader) noexcept {
  if (slice.MbaffFrameFlag) {
    return SliceDataParser<Reader, true>(slice, out, cursor, reader).parse();
  }
  return SliceDataParser<Reader, false>(slice, out, cursor, reader).parse();
}

}  // namespace cope::h264
