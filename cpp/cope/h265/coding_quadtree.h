#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/h265/cabac_reader.h"
#include "cope/h265/cu_state.h"
#include "cope/h265/motion_syntax.h"
#include "cope/h265/slice_context.h"
#include "cope/h265/transform_tree.h"
#include "cope/prim/block_map.h"

namespace cope::h265 {

/// Prediction units of a coding unit by PartMode (7.4.9.5).
COPE_HD_TABLE std::uint8_t kNumParts[8] = {1, 2, 2, 4, 2, 2, 2, 2};
/// Their places by PartMode and partIdx, in quarters of the coding unit: x in the lowest four bits,
/// then y, width and height.
COPE_HD_TABLE std::uint16_t kPartition[8][4] = {
    {0x4400},         {0x2400, 0x2420}, {0x4200, 0x4202}, {0x2200, 0x2202, 0x2220, 0x2222},
    {0x1400, 0x3410}, {0x3400, 0x1430}, {0x4100, 0x4301}, {0x4300, 0x4103},
};

/// Parses coding_quadtree() (7.3.8.4) of one coding tree unit after another.
class CodingQuadtreeParser {
 public:
  COPE_HD CodingQuadtreeParser(const SliceParams& slice, const PictureArrays& out,
                               OutputCursor& cursor, CabacReader& reader) noexcept
      : s_(slice), out_(out), cursor_(cursor), r_(reader), tree_(slice, out, cursor, reader, qp_) {}

  /// False for an invalid element, which `element()` names. `first_bit`: where the coding tree unit
  /// starts.
  COPE_HD bool parse(std::int32_t CtbAddrInRs, int xCtb, int yCtb, std::size_t first_bit) noexcept {
    cu_.CtbAddrInRs = CtbAddrInRs;
    bits_end_ = first_bit;
    return coding_quadtree(xCtb, yCtb, s_.CtbLog2SizeY, 0);
  }

  /// The next quantization group is predicted from `QpY`: SliceQpY, or that of the last coding unit
  /// of the segment before.
  COPE_HD void set_previous_qp(int QpY) noexcept {
    qp_.QpY = QpY;
    qp_.update(s_);
  }

  COPE_HD QpState& qp() noexcept { return qp_; }
  COPE_HD const char* element() const noexcept { return tree_.element(); }

 private:
  COPE_HD bool coding_quadtree(int x0, int y0, int log2CbSize, int cqtDepth) noexcept {
    const int size = 1 << log2CbSize;
    const bool is_inside =
        x0 + size <= s_.pic_width_in_luma_samples && y0 + size <= s_.pic_height_in_luma_samples;
    bool split = log2CbSize > s_.MinCbLog2SizeY;
    if (split && is_inside) {
      split = r_.split_cu_flag((depth_of(out_.left[y0 >> 2]) > cqtDepth) +
                               (depth_of(out_.above[x0 >> 2]) > cqtDepth));
    }
    if (s_.cu_qp_delta_enabled_flag && log2CbSize >= s_.Log2MinCuQpDeltaSize) {
      begin_quantization_group(x0, y0);
    }
    if (s_.cu_chroma_qp_offset_enabled_flag && log2CbSize >= s_.Log2MinCuChromaQpOffsetSize) {
      qp_.IsCuChromaQpOffsetCoded = false;
    }
    if (!split) return coding_unit(x0, y0, log2CbSize, cqtDepth);
    const int half = size >> 1;
    for (int i = 0; i < 4; ++i) {
      const int x = x0 + (i & 1) * half;
      const int y = y0 + (i >> 1) * half;
      if (x < s_.pic_width_in_luma_samples && y < s_.pic_height_in_luma_samples &&
          !coding_quadtree(x, y, log2CbSize - 1, cqtDepth + 1)) {
        return false;
      }
    }
    return true;
  }

  COPE_HD std::size_t block_at(int x, int y) const noexcept {
    return static_cast<std::size_t>((y >> s_.MinCbLog2SizeY) * out_.blocks_stride +
                                    (x >> s_.MinCbLog2SizeY));
  }

  /// qPY_PRED (8.6.1). Neighbours count only inside the coding tree block.
  COPE_HD void begin_quantization_group(int xQg, int yQg) noexcept {
    qp_.IsCuQpDeltaCoded = false;
    qp_.CuQpDeltaVal = 0;
    const int in_ctb = (1 << s_.CtbLog2SizeY) - 1;
    const int qPY_A = (xQg & in_ctb) != 0 ? out_.qp[block_at(xQg - 1, yQg)] : qp_.QpY;
    const int qPY_B = (yQg & in_ctb) != 0 ? out_.qp[block_at(xQg, yQg - 1)] : qp_.QpY;
    qp_.qPY_PRED = (qPY_A + qPY_B + 1) >> 1;
  }

  // ---- coding_unit() (7.3.8.5) --------------------------------------------------------------

  COPE_HD bool coding_unit(int x0, int y0, int log2CbSize, int cqtDepth) noexcept {
    CodingUnit& cu = cu_;
    cu.x = x0;
    cu.y = y0;
    cu.log2CbSize = log2CbSize;
    cu.is_intra = false;
    cu.is_skipped = false;
    cu.is_pcm = false;
    cu.part_mode = PART_2Nx2N;
    if (s_.cu_qp_delta_enabled_flag) qp_.set_from_prediction(s_);
    CabacReader r = r_;
    cu.cu_transquant_bypass_flag =
        s_.transquant_bypass_enabled_flag && r.cu_transquant_bypass_flag();
    if (s_.slice_type != kI) {
      cu.is_skipped =
          r.cu_skip_flag(is_skipped(out_.left[y0 >> 2]) + is_skipped(out_.above[x0 >> 2]));
    }
    if (cu.is_skipped) {
      PredictionUnit& unit = new_unit(0);
      unit.merge_idx = static_cast<std::uint8_t>(r.merge_idx(s_.MaxNumMergeCand));
      r_.engine = r.engine;
      store_states(make_cu_state(cqtDepth, kSkippedState));
      store_blocks(prim::BlockType::kSkip);
      return true;
    }
    cu.is_intra = s_.slice_type == kI || r.pred_mode_flag();
    r_.engine = r.engine;
    return cu.is_intra ? intra_unit(cqtDepth) : inter_unit(cqtDepth);
  }

  COPE_HD bool inter_unit(int cqtDepth) noexcept {
    CodingUnit& cu = cu_;
    store_states(make_cu_state(cqtDepth, kNoState));
    CabacReader r = r_;
    const bool is_smallest = cu.log2CbSize == s_.MinCbLog2SizeY;
    cu.part_mode = r.part_mode_inter(is_smallest, cu.log2CbSize > 3, s_.amp_enabled_flag);
    bool merge_flag = false;
    for (unsigned partIdx = 0; partIdx < kNumParts[cu.part_mode]; ++partIdx) {
      merge_flag = prediction_unit(r, new_unit(partIdx), cqtDepth);
    }
    const bool rqt_root_cbf = (merge_flag && cu.part_mode == PART_2Nx2N) || r.rqt_root_cbf();
    r_.engine = r.engine;
    if (rqt_root_cbf && !tree_.parse(cu)) return false;
    store_blocks(prim::BlockType::kInter);
    return true;
  }

  /// A prediction unit without syntax, in its place.
  COPE_HD COPE_FORCE_INLINE PredictionUnit& new_unit(unsigned partIdx) noexcept {
    PredictionUnit& unit = out_.units[cursor_.num_units++];
    const unsigned place = kPartition[cu_.part_mode][partIdx];
    const int log2_quarter = cu_.log2CbSize - 2;
    unit.x = static_cast<std::uint16_t>(cu_.x + (static_cast<int>(place & 15) << log2_quarter));
    unit.y =
        static_cast<std::uint16_t>(cu_.y + (static_cast<int>(place >> 4 & 15) << log2_quarter));
    unit.width = static_cast<std::uint8_t>((place >> 8 & 15) << log2_quarter);
    unit.height = static_cast<std::uint8_t>((place >> 12) << log2_quarter);
    unit.log2_cb_size = static_cast<std::uint8_t>(cu_.log2CbSize);
    unit.part_mode = cu_.part_mode;
    unit.part_idx = static_cast<std::uint8_t>(partIdx);
    unit.merge_idx = kNoMerge;
    unit.mvp_flags = 0;
    unit.ref_idx[0] = -1;
    unit.ref_idx[1] = -1;
    unit.mvd[0] = {0, 0};
    unit.mvd[1] = {0, 0};
    return unit;
  }

  /// prediction_unit() (7.3.8.6): merge_flag.
  COPE_HD COPE_FORCE_INLINE bool prediction_unit(CabacReader& r, PredictionUnit& unit,
                                                 int CtDepth) noexcept {
    if (r.merge_flag()) {
      unit.merge_idx = static_cast<std::uint8_t>(r.merge_idx(s_.MaxNumMergeCand));
      return true;
    }
    const unsigned lists =
        s_.slice_type == kB ? r.inter_pred_idc(unit.width + unit.height != 12, CtDepth) : PRED_L0;
    unsigned mvp_flags = 0;
    for (unsigned list = 0; list < 2; ++list) {
      if ((lists >> list & 1) == 0) continue;
      const unsigned num_ref_idx = s_.num_ref_idx_active[list];
      unit.ref_idx[list] = static_cast<std::int8_t>(num_ref_idx > 1 ? r.ref_idx(num_ref_idx) : 0);
      if (list == 0 || lists != PRED_BI || !s_.mvd_l1_zero_flag) unit.mvd[list] = r.mvd_coding();
      mvp_flags |= static_cast<unsigned>(r.mvp_flag()) << list;
    }
    unit.mvp_flags = static_cast<std::uint8_t>(mvp_flags);
    return false;
  }

  // ---- intra units --------------------------------------------------------------------------

  COPE_HD bool intra_unit(int cqtDepth) noexcept {
    CodingUnit& cu = cu_;
    if (cu.log2CbSize == s_.MinCbLog2SizeY) cu.part_mode = r_.part_mode_intra();
    if (s_.pcm_enabled_flag && cu.part_mode == PART_2Nx2N &&
        cu.log2CbSize >= s_.Log2MinIpcmCbSizeY && cu.log2CbSize <= s_.Log2MaxIpcmCbSizeY &&
        r_.pcm_flag()) {
      cu.is_pcm = true;
      r_.restart_behind(pcm_sample_bits());
      store_states(make_cu_state(cqtDepth, kNoState));
      store_blocks(prim::BlockType::kPcm);
      return true;
    }
    read_intra_pred_modes(cqtDepth);
    if (!tree_.parse(cu)) return false;
    store_blocks(cu.part_mode == PART_NxN ? prim::BlockType::kI4x4 : prim::BlockType::kI16x16);
    return true;
  }

  COPE_HD std::size_t pcm_sample_bits() const noexcept {
    const std::size_t luma = std::size_t{1} << (2 * cu_.log2CbSize);
    const unsigned chroma_shift = s_.ChromaArrayType == 1 ? 1 : 0;
    const std::size_t chroma = s_.ChromaArrayType == 0   ? 0
                               : s_.ChromaArrayType == 3 ? 2 * luma
                                                         : luma >> chroma_shift;
    return luma * s_.PcmBitDepthY + chroma * s_.PcmBitDepthC;
  }

  COPE_HD void read_intra_pred_modes(int cqtDepth) noexcept {
    CodingUnit& cu = cu_;
    const int num_parts = cu.part_mode == PART_NxN ? 4 : 1;
    const int width = 1 << (cu.log2CbSize - (num_parts == 4) - 2);  // of a part, 4 luma samples
    bool prev_intra_luma_pred_flag[4];
    for (int i = 0; i < num_parts; ++i) {
      prev_intra_luma_pred_flag[i] = r_.prev_intra_luma_pred_flag();
    }
    const int in_ctb = (1 << (s_.CtbLog2SizeY - 2)) - 1;
    for (int i = 0; i < num_parts; ++i) {
      const int x = (cu.x >> 2) + (i & 1) * width;
      const int y = (cu.y >> 2) + (i >> 1) * width;
      const int a = intra_mode_of(out_.left[y]);
      // Above the coding tree block every mode counts as INTRA_DC (8.4.2).
      const int b = (y & in_ctb) != 0 ? intra_mode_of(out_.above[x]) : 1;
      const int mode = intra_pred_mode_y(a, b, prev_intra_luma_pred_flag[i]);
      cu.IntraPredModeY[i] = static_cast<std::uint8_t>(mode);
      const std::uint8_t state = make_cu_state(cqtDepth, mode);
      fill_states(out_.left + y, width, state);
      fill_states(out_.above + x, width, state);
    }
    if (s_.ChromaArrayType == 0) return;
    const int num_chroma = s_.ChromaArrayType == 3 ? num_parts : 1;
    for (int i = 0; i < num_chroma; ++i) {
      const unsigned mode = r_.intra_chroma_pred_mode();
      cu.intra_chroma_pred_mode[i] = static_cast<std::uint8_t>(mode);
      cu.IntraPredModeC[i] = intra_pred_mode_c(mode, cu.IntraPredModeY[i]);
    }
  }

  /// IntraPredModeY (8.4.2), with its mpm_idx or rem_intra_luma_pred_mode.
  COPE_HD int intra_pred_mode_y(int a, int b, bool prev_intra_luma_pred_flag) noexcept {
    int candModeList[3];
    if (a == b) {
      if (a < 2) {
        candModeList[0] = 0;
        candModeList[1] = 1;
        candModeList[2] = 26;
      } else {
        candModeList[0] = a;
        candModeList[1] = 2 + (a + 29) % 32;
        candModeList[2] = 2 + (a - 2 + 1) % 32;
      }
    } else {
      candModeList[0] = a;
      candModeList[1] = b;
      candModeList[2] = a != 0 && b != 0 ? 0 : a != 1 && b != 1 ? 1 : 26;
    }
    if (prev_intra_luma_pred_flag) return candModeList[r_.mpm_idx()];
    auto mode = static_cast<int>(r_.fixed_length(5));
    const auto sort = [&candModeList](int i, int j) {
      if (candModeList[i] <= candModeList[j]) return;
      const int larger = candModeList[i];
      candModeList[i] = candModeList[j];
      candModeList[j] = larger;
    };
    sort(0, 1);
    sort(0, 2);
    sort(1, 2);
    for (const int candidate : candModeList) mode += mode >= candidate;
    return mode;
  }

  /// IntraPredModeC (8.4.3).
  COPE_HD std::uint8_t intra_pred_mode_c(unsigned intra_chroma_pred_mode,
                                         unsigned luma) const noexcept {
    unsigned mode = luma;
    if (intra_chroma_pred_mode != 4) {
      mode = intra_chroma_pred_mode == 0   ? 0
             : intra_chroma_pred_mode == 1 ? 26
             : intra_chroma_pred_mode == 2 ? 10
                                           : 1;
      if (mode == luma) mode = 34;
    }
    return s_.ChromaArrayType == 2 ? kIntraPredModeC422[mode] : static_cast<std::uint8_t>(mode);
  }

  // ---- what a coding unit leaves ------------------------------------------------------------

  COPE_HD void store_states(std::uint8_t state) noexcept {
    const int count = 1 << (cu_.log2CbSize - 2);
    fill_states(out_.left + (cu_.y >> 2), count, state);
    fill_states(out_.above + (cu_.x >> 2), count, state);
  }

  /// Fills the block map of the coding unit, once all of it is read.
  COPE_HD void store_blocks(prim::BlockType type) noexcept {
    const std::size_t end = r_.bit_pos();
    const auto bits = static_cast<std::uint32_t>(end - bits_end_);
    bits_end_ = end;
    cursor_.qp_sum += static_cast<std::int64_t>(qp_.QpY) << (2 * (cu_.log2CbSize - 3));
    if (qp_.QpY < cursor_.qp_min) cursor_.qp_min = qp_.QpY;
    if (qp_.QpY > cursor_.qp_max) cursor_.qp_max = qp_.QpY;

    switch (cu_.log2CbSize - s_.MinCbLog2SizeY) {
      case 0:
        return fill_blocks<1>(type, bits);
      case 1:
        return fill_blocks<2>(type, bits);
      case 2:
        return fill_blocks<4>(type, bits);
      default:
        return fill_blocks<8>(type, bits);
    }
  }

  /// `kWidth`: blocks along the side of the coding unit.
  template <unsigned kWidth>
  COPE_HD void fill_blocks(prim::BlockType type, std::uint32_t bits) noexcept {
    const auto flags =
        static_cast<std::uint8_t>(cu_.cu_transquant_bypass_flag ? prim::kTransquantBypass : 0);
    const std::uint32_t share = bits / (kWidth * kWidth);
    const std::uint32_t rest = bits % (kWidth * kWidth);  // to the first blocks, one each
    const PictureArrays out = out_;  // a local, which stores to its arrays cannot change
    const std::uint16_t slice_idx = s_.slice_idx;
    const auto log2CbSize = static_cast<std::uint8_t>(cu_.log2CbSize);
    const auto part_mode = static_cast<std::uint8_t>(cu_.part_mode);
    const auto qp = static_cast<std::int8_t>(qp_.QpY);
    const auto stride = static_cast<std::size_t>(out.blocks_stride);
    std::size_t at = block_at(cu_.x, cu_.y);
    for (unsigned row = 0; row < kWidth; ++row, at += stride) {
      fill_row<kWidth>(out.type + at, static_cast<std::uint8_t>(type));
      fill_row<kWidth>(out.flags + at, flags);
      fill_row<kWidth>(out.partition + at, log2CbSize);
      fill_row<kWidth>(out.partition_shape + at, part_mode);
      fill_row<kWidth>(out.qp + at, qp);
      fill_row<kWidth>(out.slice_idx + at, slice_idx);
      for (unsigned i = 0; i < kWidth; ++i) out.bits[at + i] = share + (row * kWidth + i < rest);
    }
  }

  template <unsigned kWidth, class T>
  COPE_HD COPE_FORCE_INLINE static void fill_row(T* row, T value) noexcept {
    for (unsigned i = 0; i < kWidth; ++i) row[i] = value;
  }

  // SliceType of slice_header.h, which is not device code.
  static constexpr std::uint8_t kB = 0;
  static constexpr std::uint8_t kI = 2;

  const SliceParams& s_;
  const PictureArrays& out_;
  OutputCursor& cursor_;
  CabacReader& r_;
  QpState qp_;
  TransformTreeParser tree_;
  CodingUnit cu_;
  std::size_t bits_end_ = 0;  // of the coding unit before
};

}  // namespace cope::h265
