#pragma once

#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/h265/cabac_reader.h"
#include "cope/h265/residual_coding.h"
#include "cope/h265/slice_context.h"
#include "cope/prim/coeff_stream.h"

namespace cope::h265 {

/// A coding unit while it is parsed.
struct CodingUnit {
  int x = 0;  ///< luma samples
  int y = 0;
  int log2CbSize = 3;
  std::int32_t CtbAddrInRs = 0;
  bool is_intra = false;
  bool is_skipped = false;
  bool is_pcm = false;
  bool cu_transquant_bypass_flag = false;
  PartMode part_mode = PART_2Nx2N;
  std::uint8_t IntraPredModeY[4] = {1, 1, 1, 1};          ///< by quadrant
  std::uint8_t IntraPredModeC[4] = {1, 1, 1, 1};          ///< by quadrant
  std::uint8_t intra_chroma_pred_mode[4] = {0, 0, 0, 0};  ///< by quadrant

  COPE_HD bool splits_in_four() const noexcept { return is_intra && part_mode == PART_NxN; }
};

/// QP of the current quantization group and what changes it (8.6.1).
struct QpState {
  int qPY_PRED = 0;
  int CuQpDeltaVal = 0;
  bool IsCuQpDeltaCoded = false;
  bool IsCuChromaQpOffsetCoded = false;
  int QpY = 0;  ///< of the current coding unit; before it, of the last one in decoding order
  int CuQpOffset[2] = {0, 0};      ///< CuQpOffsetCb, CuQpOffsetCr
  std::uint8_t qP[3] = {0, 0, 0};  ///< Qp'Y, Qp'Cb, Qp'Cr

  /// After a change of QpY or CuQpOffset.
  COPE_HD void update(const SliceParams& s) noexcept {
    qP[0] = static_cast<std::uint8_t>(QpY + s.QpBdOffsetY);
    for (int c = 0; c < 2; ++c) {
      int qPi = QpY + s.chroma_qp_offset[c] + CuQpOffset[c];
      qPi = qPi < -s.QpBdOffsetC ? -s.QpBdOffsetC : qPi > 57 ? 57 : qPi;
      int qPC = qPi;
      if (s.ChromaArrayType == 1) {
        if (qPi >= 0) qPC = kQpC[qPi];
      } else if (qPi > 51) {
        qPC = 51;
      }
      qP[1 + c] = static_cast<std::uint8_t>(qPC + s.QpBdOffsetC);
    }
  }

  /// QpY of the current coding unit from its prediction (8-283).
  COPE_HD void set_from_prediction(const SliceParams& s) noexcept {
    const int range = 52 + s.QpBdOffsetY;
    int qp = qPY_PRED + CuQpDeltaVal;  // CuQpDeltaVal is at most half of the range away
    if (qp < -s.QpBdOffsetY) qp += range;
    if (qp > 51) qp -= range;
    if (qp == QpY) return;
    QpY = qp;
    update(s);
  }
};

/// Parses transform_tree() (7.3.8.8) of a coding unit and appends its levels to the coefficient
/// stream.
class TransformTreeParser {
 public:
  COPE_HD TransformTreeParser(const SliceParams& slice, const PictureArrays& out,
                              OutputCursor& cursor, CabacReader& reader, QpState& qp) noexcept
      : s_(slice),
        out_(out),
        cursor_(cursor),
        r_(reader),
        qp_(qp),
        shift_x_(slice.ChromaArrayType == 3 ? 0 : 1),
        shift_y_(slice.ChromaArrayType == 1 ? 1 : 0),
        is_extended_(slice.extends_residual_coding()) {}

  /// False for an invalid element, which `element()` names.
  COPE_HD bool parse(const CodingUnit& cu) noexcept {
    cu_ = &cu;
    flags_ = static_cast<std::uint8_t>((cu.is_intra ? prim::kCoeffIntra : 0) |
                                       (cu.cu_transquant_bypass_flag ? prim::kCoeffBypass : 0));
    IntraSplitFlag_ = cu.splits_in_four();
    MaxTrafoDepth_ = cu.is_intra ? s_.max_transform_hierarchy_depth_intra + IntraSplitFlag_
                                 : s_.max_transform_hierarchy_depth_inter;
    interSplitFlag_ =
        s_.max_transform_hierarchy_depth_inter == 0 && !cu.is_intra && cu.part_mode != PART_2Nx2N;
    const unsigned any = s_.ChromaArrayType != 0;  // cbf of the level above: present there
    return transform_tree(cu.x, cu.y, cu.log2CbSize, 0, 0, any, any);
  }

  COPE_HD const char* element() const noexcept { return element_; }

 private:
  COPE_HD bool invalid(const char* element) noexcept {
    element_ = element;
    return false;
  }

  /// `cbf_cb`, `cbf_cr`: of the transform unit above; bit 1 is that of the lower block in 4:2:2.
  COPE_HD bool transform_tree(int x0, int y0, int log2TrafoSize, int trafoDepth, int blkIdx,
                              unsigned cbf_cb, unsigned cbf_cr) noexcept {
    CabacReader r = r_;
    bool split = false;
    if (log2TrafoSize > s_.MaxTbLog2SizeY || (trafoDepth == 0 && IntraSplitFlag_)) {
      split = true;
    } else if (log2TrafoSize > s_.MinTbLog2SizeY && trafoDepth < MaxTrafoDepth_) {
      split = r.split_transform_flag(log2TrafoSize);
    } else {
      split = trafoDepth == 0 && interSplitFlag_;
    }
    // A 4x4 unit has the flags of the four that share a chroma block: those of the unit above.
    if (log2TrafoSize > 2 || s_.ChromaArrayType == 3) {
      const bool two = s_.ChromaArrayType == 2 && (!split || log2TrafoSize == 3);
      if (cbf_cb != 0) {
        cbf_cb = r.cbf_chroma(trafoDepth);
        if (two) cbf_cb |= r.cbf_chroma(trafoDepth) << 1;
      }
      if (cbf_cr != 0) {
        cbf_cr = r.cbf_chroma(trafoDepth);
        if (two) cbf_cr |= r.cbf_chroma(trafoDepth) << 1;
      }
    }
    if (split) {
      r_.engine = r.engine;
      const int half = 1 << (log2TrafoSize - 1);
      for (int i = 0; i < 4; ++i) {
        if (!transform_tree(x0 + (i & 1) * half, y0 + (i >> 1) * half, log2TrafoSize - 1,
                            trafoDepth + 1, i, cbf_cb, cbf_cr)) {
          return false;
        }
      }
      return true;
    }
    const unsigned cbf_chroma = cbf_cb | cbf_cr;
    const bool cbf_luma =
        (!cu_->is_intra && trafoDepth == 0 && cbf_chroma == 0) || r.cbf_luma(trafoDepth);
    r_.engine = r.engine;
    if (!cbf_luma && cbf_chroma == 0) return true;
    return transform_unit(x0, y0, log2TrafoSize, blkIdx, cbf_luma, cbf_cb, cbf_cr);
  }

  /// transform_unit() (7.3.8.10) with at least one coded block.
  COPE_HD bool transform_unit(int x0, int y0, int log2TrafoSize, int blkIdx, bool cbf_luma,
                              unsigned cbf_cb, unsigned cbf_cr) noexcept {
    if (s_.cu_qp_delta_enabled_flag && !qp_.IsCuQpDeltaCoded && !read_cu_qp_delta()) return false;
    if (s_.cu_chroma_qp_offset_enabled_flag && (cbf_cb | cbf_cr) != 0 &&
        !cu_->cu_transquant_bypass_flag && !qp_.IsCuChromaQpOffsetCoded) {
      read_cu_chroma_qp_offset();
    }
    const unsigned quadrant = quadrant_of(x0, y0);
    const auto log2 = static_cast<unsigned>(log2TrafoSize);
    if (cbf_luma && !coded_block(0, static_cast<unsigned>(x0), static_cast<unsigned>(y0), log2,
                                 cu_->IntraPredModeY[quadrant], 0)) {
      return false;
    }
    if (s_.ChromaArrayType == 3) {
      return chroma_444(static_cast<unsigned>(x0), static_cast<unsigned>(y0), log2, quadrant,
                        cbf_luma, cbf_cb, cbf_cr);
    }
    if ((cbf_cb | cbf_cr) == 0) return true;
    if (log2 > 2) return chroma_subsampled(x0, y0, log2 - 1, cbf_cb, cbf_cr);
    return blkIdx != 3 || chroma_subsampled(x0 - 4, y0 - 4, 2, cbf_cb, cbf_cr);
  }

  COPE_HD bool chroma_subsampled(int x0, int y0, unsigned log2TrafoSizeC, unsigned cbf_cb,
                                 unsigned cbf_cr) noexcept {
    const auto x = static_cast<unsigned>(x0 >> shift_x_);
    const auto y = static_cast<unsigned>(y0 >> shift_y_);
    for (unsigned plane = 1; plane < 3; ++plane) {
      const unsigned cbf = plane == 1 ? cbf_cb : cbf_cr;
      for (unsigned t = 0; t < 2; ++t) {
        if ((cbf >> t & 1) != 0 && !coded_block(plane, x, y + (t << log2TrafoSizeC), log2TrafoSizeC,
                                                cu_->IntraPredModeC[0], 0)) {
          return false;
        }
      }
    }
    return true;
  }

  COPE_HD bool chroma_444(unsigned x0, unsigned y0, unsigned log2, unsigned quadrant, bool cbf_luma,
                          unsigned cbf_cb, unsigned cbf_cr) noexcept {
    const bool may_predict = s_.cross_component_prediction_enabled_flag && cbf_luma &&
                             (!cu_->is_intra || cu_->intra_chroma_pred_mode[quadrant] == 4);
    for (unsigned plane = 1; plane < 3; ++plane) {
      const int ResScaleVal = may_predict ? r_.res_scale_val(static_cast<int>(plane) - 1) : 0;
      if ((plane == 1 ? cbf_cb : cbf_cr) != 0) {
        if (!coded_block(plane, x0, y0, log2, cu_->IntraPredModeC[quadrant], ResScaleVal)) {
          return false;
        }
      } else if (ResScaleVal != 0) {
        emit(plane, x0, y0, log2, 0, 0, ResScaleVal);
      }
    }
    return true;
  }

  COPE_HD unsigned quadrant_of(int x0, int y0) const noexcept {
    if (!IntraSplitFlag_) return 0;
    const int half_log2 = cu_->log2CbSize - 1;
    return static_cast<unsigned>((x0 - cu_->x) >> half_log2 | ((y0 - cu_->y) >> half_log2) << 1);
  }

  COPE_HD bool read_cu_qp_delta() noexcept {
    qp_.IsCuQpDeltaCoded = true;
    const int delta = r_.cu_qp_delta();
    if (delta < -(26 + s_.QpBdOffsetY / 2) || delta > 25 + s_.QpBdOffsetY / 2) {
      return invalid("cu_qp_delta_abs");
    }
    qp_.CuQpDeltaVal = delta;
    qp_.set_from_prediction(s_);
    return true;
  }

  COPE_HD void read_cu_chroma_qp_offset() noexcept {
    qp_.IsCuChromaQpOffsetCoded = true;
    int offset[2] = {0, 0};
    if (r_.cu_chroma_qp_offset_flag()) {
      const unsigned last = s_.chroma_qp_offset_list_len_minus1;
      const unsigned i = last != 0 ? r_.cu_chroma_qp_offset_idx(last) : 0;
      offset[0] = s_.chroma_qp_offset_list[0][i];
      offset[1] = s_.chroma_qp_offset_list[1][i];
    }
    qp_.CuQpOffset[0] = offset[0];
    qp_.CuQpOffset[1] = offset[1];
    qp_.update(s_);
  }

  /// scanIdx (7.4.9.11).
  COPE_HD unsigned scan_idx(unsigned plane, unsigned log2, unsigned predModeIntra) const noexcept {
    if (!cu_->is_intra || log2 > 3) return 0;
    if (log2 == 3 && plane != 0 && s_.ChromaArrayType != 3) return 0;
    if (predModeIntra - 6 <= 8) return 2;    // 6..14
    return predModeIntra - 22 <= 8 ? 1 : 0;  // 22..30
  }

  /// residual_coding() and its record.
  COPE_HD bool coded_block(unsigned plane, unsigned x, unsigned y, unsigned log2,
                           unsigned predModeIntra, int ResScaleVal) noexcept {
    TransformBlock block;
    block.log2TrafoSize = log2;
    block.cIdx = plane;
    block.scanIdx = scan_idx(plane, log2, predModeIntra);
    block.predModeIntra = predModeIntra;
    block.is_intra = cu_->is_intra;
    block.cu_transquant_bypass_flag = cu_->cu_transquant_bypass_flag;
    std::uint16_t* const positions = out_.positions + cursor_.num_levels;
    std::int32_t* const levels = out_.levels + cursor_.num_levels;
    const std::uint32_t count = COPE_UNLIKELY(is_extended_)
                                    ? residual_coding<true>(s_, r_, block, positions, levels)
                                    : residual_coding<false>(s_, r_, block, positions, levels);
    if (COPE_UNLIKELY(count == kInvalidLevels)) return invalid("coeff_abs_level_remaining");
    emit(plane, x, y, log2, count, block_flags(block), ResScaleVal);
    return true;
  }

  COPE_HD unsigned block_flags(const TransformBlock& block) const noexcept {
    unsigned flags = 0;
    if (block.transform_skip_flag) flags |= prim::kCoeffTransformSkip;
    if (block.log2TrafoSize == 2 && block.is_intra) {
      if (block.cIdx == 0) flags |= prim::kCoeffDst;
      if (s_.transform_skip_rotation_enabled_flag &&
          (block.transform_skip_flag || block.cu_transquant_bypass_flag)) {
        flags |= prim::kCoeffRotate;
      }
    }
    if (block.explicit_rdpcm_flag) {
      flags |=
          block.explicit_rdpcm_dir_flag ? prim::kCoeffRdpcmVertical : prim::kCoeffRdpcmHorizontal;
    } else if (s_.implicit_rdpcm_enabled_flag && block.is_intra &&
               (block.transform_skip_flag || block.cu_transquant_bypass_flag)) {
      if (block.predModeIntra == 10) flags |= prim::kCoeffRdpcmHorizontal;
      if (block.predModeIntra == 26) flags |= prim::kCoeffRdpcmVertical;
    }
    return flags;
  }

  COPE_HD void emit(unsigned plane, unsigned x, unsigned y, unsigned log2, std::uint32_t count,
                    unsigned flags, int ResScaleVal) noexcept {
    if (!s_.keep_coefficients) return;
    prim::CoeffRecord& record = out_.records[cursor_.num_records++];
    record.first = cursor_.num_levels;
    record.mb_addr = static_cast<std::uint32_t>(cu_->CtbAddrInRs);
    record.x = static_cast<std::uint16_t>(x);
    record.y = static_cast<std::uint16_t>(y);
    record.count = static_cast<std::uint16_t>(count);
    record.plane = static_cast<std::uint8_t>(plane);
    record.kind =
        static_cast<std::uint8_t>(static_cast<unsigned>(prim::CoeffKind::kTransform4x4) + log2 - 2);
    record.block_idx = static_cast<std::uint8_t>(ResScaleVal);
    record.flags = static_cast<std::uint8_t>(flags_ | flags);
    record.qp = qp_.qP[plane];
    record.scaling_idx = s_.scaling_idx;
    cursor_.num_levels += count;
  }

  const SliceParams& s_;
  const PictureArrays& out_;
  OutputCursor& cursor_;
  CabacReader& r_;
  QpState& qp_;
  const CodingUnit* cu_ = nullptr;
  int shift_x_;  // log2 of SubWidthC and SubHeightC
  int shift_y_;
  bool is_extended_;
  bool IntraSplitFlag_ = false;
  bool interSplitFlag_ = false;
  int MaxTrafoDepth_ = 0;
  std::uint8_t flags_ = 0;
  const char* element_ = nullptr;
};

}  // namespace cope::h265
