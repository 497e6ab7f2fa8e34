#include "cope/h265/pps.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parameter_set_writer.h"

namespace cope::h265 {
namespace {

Sps make_sps(const SpsSyntax& syntax) {
  const Rbsp rbsp(syntax.write());
  bits::BitReader r = rbsp.reader();
  Sps sps;
  EXPECT_TRUE(parse_sps(r, Limits{}, sps).ok());
  return sps;
}

Status read(const PpsSyntax& syntax, const Sps& sps, Pps& pps) {
  const Rbsp rbsp(syntax.write());
  bits::BitReader r = rbsp.reader();
  COPE_RETURN_IF_ERROR(parse_pps(r, pps));
  return activate_pps(sps, pps);
}

std::string refusal(const PpsSyntax& syntax, const SpsSyntax& sps = {}) {
  Pps pps;
  const Status status = read(syntax, make_sps(sps), pps);
  return status.ok() ? "accepted" : status.element;
}

TEST(Pps, KeepsFieldsAsCoded) {
  PpsSyntax syntax;
  syntax.pps_pic_parameter_set_id = 63;
  syntax.pps_seq_parameter_set_id = 15;
  syntax.dependent_slice_segments_enabled_flag = true;
  syntax.num_extra_slice_header_bits = 5;
  syntax.num_ref_idx_l0_default_active_minus1 = 14;
  syntax.num_ref_idx_l1_default_active_minus1 = 3;
  syntax.init_qp_minus26 = -26;
  syntax.diff_cu_qp_delta_depth = 1;
  syntax.pps_cb_qp_offset = -12;
  syntax.deblocking = [](BitWriter& w) { w.flag(true).flag(false).se(-6).se(6); };
  syntax.log2_parallel_merge_level_minus2 = 2;
  Pps pps;
  ASSERT_TRUE(read(syntax, make_sps({}), pps).ok());
  EXPECT_EQ(pps.pps_pic_parameter_set_id, 63);
  EXPECT_EQ(pps.pps_seq_parameter_set_id, 15);
  EXPECT_TRUE(pps.dependent_slice_segments_enabled_flag);
  EXPECT_EQ(pps.num_extra_slice_header_bits, 5);
  EXPECT_EQ(pps.num_ref_idx_l0_default_active_minus1, 14);
  EXPECT_EQ(pps.num_ref_idx_l1_default_active_minus1, 3);
  EXPECT_EQ(pps.init_qp_minus26, -26);
  EXPECT_TRUE(pps.cu_qp_delta_enabled_flag);
  EXPECT_EQ(pps.Log2MinCuQpDeltaSize, 3);  // CTBs of 16, one step down
  EXPECT_EQ(pps.pps_cb_qp_offset, -12);
  EXPECT_TRUE(pps.deblocking_filter_override_enabled_flag);
  EXPECT_EQ(pps.pps_beta_offset_div2, -6);
  EXPECT_EQ(pps.pps_tc_offset_div2, 6);
  EXPECT_EQ(pps.Log2ParMrgLevel(), 4);
  EXPECT_EQ(pps.Log2MaxTransformSkipSize(), 2);
  EXPECT_EQ(pps.scaling.weight_32x32[5][63], 16);  // flat
}

/// 6.5.1 as written: conversions by counting CTBs of the tiles before.
void expect_tile_scan(const Sps& sps, const Pps& pps, const std::vector<int>& columns,
                      const std::vector<int>& rows) {
  ASSERT_EQ(pps.colBd.size(), columns.size() + 1);
  ASSERT_EQ(pps.rowBd.size(), rows.size() + 1);
  for (int rs = 0; rs < sps.PicSizeInCtbsY; ++rs) {
    const int tbX = rs % sps.PicWidthInCtbsY, tbY = rs / sps.PicWidthInCtbsY;
    std::size_t tileX = 0, tileY = 0;
    while (tbX >= pps.colBd[tileX + 1]) ++tileX;
    while (tbY >= pps.rowBd[tileY + 1]) ++tileY;
    int ts = 0;
    for (std::size_t i = 0; i < tileX; ++i) ts += rows[tileY] * columns[i];
    for (std::size_t j = 0; j < tileY; ++j) ts += sps.PicWidthInCtbsY * rows[j];
    ts += (tbY - pps.rowBd[tileY]) * columns[tileX] + tbX - pps.colBd[tileX];
    ASSERT_EQ(pps.CtbAddrRsToTs[static_cast<std::size_t>(rs)], static_cast<unsigned>(ts));
    ASSERT_EQ(pps.CtbAddrTsToRs[static_cast<std::size_t>(ts)], static_cast<unsigned>(rs));
    ASSERT_EQ(pps.TileId[static_cast<std::size_t>(ts)], tileY * columns.size() + tileX);
  }
}

TEST(Pps, Tiles) {
  SpsSyntax sps_syntax;
  sps_syntax.pic_width_in_luma_samples = 16 * 10;
  sps_syntax.pic_height_in_luma_samples = 16 * 7 - 8;
  const Sps sps = make_sps(sps_syntax);
  Pps pps;
  ASSERT_TRUE(read({}, sps, pps).ok());
  expect_tile_scan(sps, pps, {10}, {7});
  PpsSyntax syntax;
  syntax.tiles = [](BitWriter& w) { w.ue(2).ue(1).flag(true); };
  ASSERT_TRUE(read(syntax, sps, pps).ok());
  expect_tile_scan(sps, pps, {3, 3, 4}, {3, 4});  // ((i + 1) * 10) / 3 - (i * 10) / 3
  syntax.tiles = [](BitWriter& w) { w.ue(2).ue(1).flag(false).ue(0).ue(6).ue(4); };
  ASSERT_TRUE(read(syntax, sps, pps).ok());
  expect_tile_scan(sps, pps, {1, 7, 2}, {5, 2});
}

TEST(Pps, TilesThatDoNotFit) {
  PpsSyntax syntax;  // 4x3 CTBs
  const auto tiles = [&syntax](auto write) {
    syntax.tiles = write;
    return refusal(syntax);
  };
  EXPECT_EQ(tiles([](BitWriter& w) { w.ue(3).ue(2).flag(true); }), "accepted");
  EXPECT_EQ(tiles([](BitWriter& w) { w.ue(4).ue(2).flag(true); }), "column_width_minus1");
  EXPECT_EQ(tiles([](BitWriter& w) { w.ue(0).ue(3).flag(true); }), "row_height_minus1");
  EXPECT_EQ(tiles([](BitWriter& w) { w.ue(1).ue(0).flag(false).ue(2); }), "accepted");
  EXPECT_EQ(tiles([](BitWriter& w) { w.ue(1).ue(0).flag(false).ue(3); }), "column_width_minus1");
  EXPECT_EQ(tiles([](BitWriter& w) { w.ue(20).ue(0).flag(true); }), "num_tile_columns_minus1");
  EXPECT_EQ(tiles([](BitWriter& w) { w.ue(0).ue(22).flag(true); }), "num_tile_rows_minus1");
}

TEST(Pps, RangeExtension) {
  SpsSyntax sps;
  sps.chroma_format_idc = 3;
  PpsSyntax syntax;
  syntax.transform_skip_enabled_flag = true;
  syntax.extensions = [](BitWriter& w) {
    w.u(8, 0b10000000).ue(2).flag(true).flag(true);
    w.ue(1).ue(1).se(-12).se(12).se(3).se(-4);
    w.ue(0).ue(0);
  };
  Pps pps;
  ASSERT_TRUE(read(syntax, make_sps(sps), pps).ok());
  EXPECT_EQ(pps.Log2MaxTransformSkipSize(), 4);
  EXPECT_TRUE(pps.range.cross_component_prediction_enabled_flag);
  EXPECT_EQ(pps.Log2MinCuChromaQpOffsetSize, 3);
  EXPECT_EQ(pps.range.chroma_qp_offset_list_len_minus1, 1);
  EXPECT_EQ(pps.range.cb_qp_offset_list[0], -12);
  EXPECT_EQ(pps.range.cr_qp_offset_list[0], 12);
  EXPECT_EQ(pps.range.cb_qp_offset_list[1], 3);
  EXPECT_EQ(pps.range.cr_qp_offset_list[1], -4);
  EXPECT_EQ(refusal(syntax), "cross_component_prediction_enabled_flag");  // 4:2:0
}

TEST(Pps, ExtensionsOfOtherLayersArePassedOver) {
  PpsSyntax syntax;
  syntax.extensions = [](BitWriter& w) { w.u(8, 0b01101111).u(32, 0x12345678); };
  EXPECT_EQ(refusal(syntax), "accepted");
  syntax.extensions = [](BitWriter& w) { w.u(8, 0b00010000).flag(false).flag(false).flag(false); };
  EXPECT_EQ(refusal(syntax), "accepted");
  syntax.extensions = [](BitWriter& w) { w.u(8, 0b00010000).flag(true); };
  EXPECT_EQ(refusal(syntax), "pps_curr_pic_ref_enabled_flag");
  syntax.extensions = [](BitWriter& w) { w.u(8, 0b00010000).flag(false).flag(true); };
  EXPECT_EQ(refusal(syntax), "residual_adaptive_colour_transform_enabled_flag");
}

TEST(Pps, Ranges) {
  PpsSyntax syntax;
  syntax.pps_pic_parameter_set_id = 64;
  EXPECT_EQ(refusal(syntax), "pps_pic_parameter_set_id");
  syntax = {};
  syntax.pps_seq_parameter_set_id = 16;
  EXPECT_EQ(refusal(syntax), "pps_seq_parameter_set_id");
  syntax = {};
  syntax.num_ref_idx_l0_default_active_minus1 = 15;
  EXPECT_EQ(refusal(syntax), "num_ref_idx_l0_default_active_minus1");
  syntax = {};
  syntax.init_qp_minus26 = -27;  // 8 bits: QpBdOffsetY 0
  EXPECT_EQ(refusal(syntax), "init_qp_minus26");
  SpsSyntax ten_bits;
  ten_bits.bit_depth_luma_minus8 = 2;
  EXPECT_EQ(refusal(syntax, ten_bits), "accepted");
  syntax = {};
  syntax.diff_cu_qp_delta_depth = 2;  // 16 to 8 is one step
  EXPECT_EQ(refusal(syntax), "diff_cu_qp_delta_depth");
  syntax = {};
  syntax.pps_cb_qp_offset = 13;
  EXPECT_EQ(refusal(syntax), "pps_cb_qp_offset");
  syntax = {};
  syntax.log2_parallel_merge_level_minus2 = 3;  // 32, CTBs of 16
  EXPECT_EQ(refusal(syntax), "log2_parallel_merge_level_minus2");
}

/// scaling_list_data() with lists that are not coded, but for those that `write` gives.
void write_scaling_lists(BitWriter& w, const std::function<bool(BitWriter&, int, int)>& write) {
  for (int sizeId = 0; sizeId < 4; ++sizeId) {
    for (int matrixId = 0; matrixId < 6; matrixId += sizeId == 3 ? 3 : 1) {
      if (!write(w, sizeId, matrixId)) w.flag(false).ue(0);  // the default list
    }
  }
}

TEST(ScalingList, DefaultsOfTheSps) {
  SpsSyntax sps;
  sps.scaling_list_enabled_flag = true;
  Pps pps;
  ASSERT_TRUE(read({}, make_sps(sps), pps).ok());
  for (int matrixId = 0; matrixId < 6; ++matrixId) {
    EXPECT_EQ(pps.scaling.weight_4x4[matrixId][15], 16);
    EXPECT_EQ(pps.scaling.weight_8x8[matrixId][0], 16);
    EXPECT_EQ(pps.scaling.weight_8x8[matrixId][63], matrixId < 3 ? 115 : 91);  // Table 7-6
    EXPECT_EQ(pps.scaling.weight_16x16[matrixId][63], matrixId < 3 ? 115 : 91);
    EXPECT_EQ(pps.scaling.weight_32x32[matrixId][63], matrixId < 3 ? 115 : 91);
    EXPECT_EQ(pps.scaling.dc_32x32[matrixId], 16);
  }
}

TEST(ScalingList, CodedPredictedAndDerived) {
  SpsSyntax sps;
  sps.scaling_list_enabled_flag = true;
  sps.chroma_format_idc = 3;
  PpsSyntax syntax;
  syntax.scaling_list_data = [](BitWriter& writer) {
    write_scaling_lists(writer, [](BitWriter& w, int sizeId, int matrixId) {
      if (sizeId == 0 && matrixId == 1) {  // 1, 2, .., 16 along the scan
        w.flag(true).se(-7);
        for (int i = 1; i < 16; ++i) w.se(1);
        return true;
      }
      if (sizeId == 0 && matrixId == 4) {  // the same as matrixId 1
        w.flag(false).ue(3);
        return true;
      }
      if (sizeId == 2 && matrixId == 2) {  // DC 40, then 200 + 100 wraps to 44
        w.flag(true).se(32).se(127).se(33).se(100);
        for (int i = 3; i < 64; ++i) w.se(0);
        return true;
      }
      if (sizeId == 3 && matrixId == 3) {  // the same as matrixId 0, the default one of intra
        w.flag(false).ue(1);
        return true;
      }
      return false;
    });
  };
  Pps pps;
  ASSERT_TRUE(read(syntax, make_sps(sps), pps).ok());
  const prim::ScalingMatrices& m = pps.scaling;
  const int diagonal[16] = {1, 3, 6, 10, 2, 5, 9, 13, 4, 8, 12, 15, 7, 11, 14, 16};  // 6.5.3
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(m.weight_4x4[1][i], diagonal[i]);
    EXPECT_EQ(m.weight_4x4[4][i], diagonal[i]);
    EXPECT_EQ(m.weight_4x4[0][i], 16);
  }
  EXPECT_EQ(m.dc_16x16[2], 40);
  EXPECT_EQ(m.weight_16x16[2][0], 167);
  EXPECT_EQ(m.weight_16x16[2][8], 200);  // the scan goes down first
  EXPECT_EQ(m.weight_16x16[2][1], 44);
  EXPECT_EQ(m.weight_16x16[2][63], 44);
  EXPECT_EQ(m.weight_32x32[3][63], 115);
  EXPECT_EQ(m.weight_32x32[2][0], 167);  // 32x32 of Cr is that of 16x16
  EXPECT_EQ(m.dc_32x32[2], 40);
  EXPECT_EQ(m.weight_32x32[5][63], 91);
}

TEST(ScalingList, Ranges) {
  SpsSyntax sps;
  sps.scaling_list_enabled_flag = true;
  PpsSyntax syntax;
  const auto first_list = [&](auto write) {
    syntax.scaling_list_data = write;
    return refusal(syntax, sps);
  };
  EXPECT_EQ(first_list([](BitWriter& w) { w.flag(false).ue(1); }),
            "scaling_list_pred_matrix_id_delta");
  EXPECT_EQ(first_list([](BitWriter& w) { w.flag(true).se(128); }), "scaling_list_delta_coef");
  EXPECT_EQ(first_list([](BitWriter& w) { w.flag(true).se(-8); }), "scaling_list_delta_coef");
}

}  // namespace
}  // namespace cope::h265
