// Spot values entered by hand, and the structure that the standard's tables have. The whole tables
// are held against their data file by tests/python/test_tables.py and test_vlc.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "cope/h264/cabac_tables.h"
#include "cope/h264/level_tables.h"
#include "cope/h264/mb_type_tables.h"
#include "cope/h264/scaling_tables.h"
#include "cope/h264/scan_tables.h"
#include "cope/h264/vlc.h"

namespace cope::h264 {
namespace {

/// The bits of `text`, first bit highest, followed by zeros or by ones.
std::uint32_t left_aligned(std::string_view text, bool filler) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    bits = bits << 1 | static_cast<std::uint32_t>(i < text.size() ? text[i] == '1' : filler);
  }
  return bits;
}

/// Whether `find` reads `code` as `value`, whatever follows.
template <class Find>
::testing::AssertionResult reads(Find find, std::string_view code, int value) {
  for (const bool filler : {false, true}) {
    const VlcEntry entry = find(left_aligned(code, filler));
    if (entry.length != code.size() || entry.value != value) {
      return ::testing::AssertionFailure()
             << code << " read as length " << int{entry.length} << " value " << int{entry.value};
    }
  }
  return ::testing::AssertionSuccess();
}

constexpr int token(int TotalCoeff, int TrailingOnes) { return TotalCoeff << 2 | TrailingOnes; }

TEST(CavlcTables, CoeffTokenTable9_5) {
  const auto nC = [](unsigned value) {
    return [value](std::uint32_t next) { return find_coeff_token(value, next); };
  };
  EXPECT_TRUE(reads(nC(0), "1", token(0, 0)));
  EXPECT_TRUE(reads(nC(1), "000101", token(1, 0)));
  EXPECT_TRUE(reads(nC(1), "0000000000000100", token(16, 0)));
  EXPECT_TRUE(reads(nC(0), "000000000000001", token(13, 1)));
  EXPECT_TRUE(reads(nC(2), "11", token(0, 0)));
  EXPECT_TRUE(reads(nC(3), "0000000000001", token(15, 3)));
  EXPECT_TRUE(reads(nC(4), "1111", token(0, 0)));
  EXPECT_TRUE(reads(nC(7), "0000000001", token(16, 0)));
  EXPECT_TRUE(reads(nC(8), "000011", token(0, 0)));
  EXPECT_TRUE(reads(nC(16), "111111", token(16, 3)));
}

TEST(CavlcTables, CoeffTokenOfChromaDc) {
  const auto dc420 = [](std::uint32_t next) { return find_coeff_token_chroma_dc(false, next); };
  EXPECT_TRUE(reads(dc420, "01", token(0, 0)));
  EXPECT_TRUE(reads(dc420, "1", token(1, 1)));
  EXPECT_TRUE(reads(dc420, "0000000", token(4, 3)));
  EXPECT_TRUE(reads(dc420, "00000010", token(4, 2)));
  const auto dc422 = [](std::uint32_t next) { return find_coeff_token_chroma_dc(true, next); };
  EXPECT_TRUE(reads(dc422, "1", token(0, 0)));
  EXPECT_TRUE(reads(dc422, "0000000000111", token(8, 0)));
  EXPECT_TRUE(reads(dc422, "00001", token(3, 3)));
}

TEST(CavlcTables, NoCodeIsReadFromForbiddenBits) {
  EXPECT_EQ(find_coeff_token(0u, 0).length, 0);
  EXPECT_EQ(find_coeff_token(0u, 1).length, 0);
  EXPECT_EQ(find_coeff_token(2u, 0x0003ffff).length, 0);
  EXPECT_EQ(find_coeff_token(4u, 0x003fffff).length, 0);
  EXPECT_EQ(find_coeff_token(8u, left_aligned("000010", true)).length, 0);
  EXPECT_EQ(find_coeff_token(8u, left_aligned("000111", false)).length, 0);
  EXPECT_EQ(find_coeff_token_chroma_dc(true, 0).length, 0);
  EXPECT_EQ(find_coeff_token_chroma_dc(true, left_aligned("0000000000110", true)).length, 0);
  EXPECT_EQ(find_total_zeros(1, 0).length, 0);
  EXPECT_EQ(find_run_before(7, 0).length, 0);
  EXPECT_EQ(find_run_before(14, left_aligned("00000000000", true)).length, 0);
}

TEST(CavlcTables, TotalZerosTables9_7To9_9) {
  const auto zeros = [](unsigned tzVlcIndex) {
    return [tzVlcIndex](std::uint32_t next) { return find_total_zeros(tzVlcIndex, next); };
  };
  EXPECT_TRUE(reads(zeros(1), "1", 0));
  EXPECT_TRUE(reads(zeros(1), "000000001", 15));
  EXPECT_TRUE(reads(zeros(2), "111", 0));
  EXPECT_TRUE(reads(zeros(2), "000000", 14));
  EXPECT_TRUE(reads(zeros(5), "0101", 0));
  EXPECT_TRUE(reads(zeros(11), "0000", 0));
  EXPECT_TRUE(reads(zeros(15), "0", 0));
  EXPECT_TRUE(reads(zeros(15), "1", 1));
  const auto dc = [](bool is_422, unsigned tzVlcIndex) {
    return [=](std::uint32_t next) { return find_total_zeros_chroma_dc(is_422, tzVlcIndex, next); };
  };
  EXPECT_TRUE(reads(dc(false, 1), "000", 3));
  EXPECT_TRUE(reads(dc(false, 3), "0", 1));
  EXPECT_TRUE(reads(dc(true, 1), "00000", 7));
  EXPECT_TRUE(reads(dc(true, 7), "1", 1));
}

TEST(CavlcTables, RunBeforeTable9_10) {
  const auto run = [](unsigned zerosLeft) {
    return [zerosLeft](std::uint32_t next) { return find_run_before(zerosLeft, next); };
  };
  EXPECT_TRUE(reads(run(1), "1", 0));
  EXPECT_TRUE(reads(run(1), "0", 1));
  EXPECT_TRUE(reads(run(3), "00", 3));
  EXPECT_TRUE(reads(run(6), "000", 1));
  EXPECT_TRUE(reads(run(6), "100", 6));
  EXPECT_TRUE(reads(run(7), "001", 6));
  EXPECT_TRUE(reads(run(7), "0001", 7));
  EXPECT_TRUE(reads(run(14), "00000000001", 14));
}

TEST(CavlcTables, CodedBlockPatternTable9_4) {
  EXPECT_EQ(kCodedBlockPattern[0][0], 47);
  EXPECT_EQ(kCodedBlockPattern[1][0], 0);
  EXPECT_EQ(kCodedBlockPattern[0][3], 0);
  EXPECT_EQ(kCodedBlockPattern[0][47], 41);
  EXPECT_EQ(kCodedBlockPatternNoChroma[0][0], 15);
  EXPECT_EQ(kCodedBlockPatternNoChroma[1][15], 9);
}

TEST(CabacTables, InitialValuesOfTables9_12To9_33) {
  const auto expect = [](int column, int ctxIdx, int m, int n) {
    EXPECT_EQ(kCabacInit[column][ctxIdx][0], m) << "ctxIdx " << ctxIdx;
    EXPECT_EQ(kCabacInit[column][ctxIdx][1], n) << "ctxIdx " << ctxIdx;
  };
  for (int column = 0; column < 4; ++column) {
    expect(column, 0, 20, -15);  // Table 9-12
    expect(column, 10, 7, 51);
    expect(column, 60, 0, 41);  // Table 9-16: mb_qp_delta
    expect(column, 276, 0, 0);  // terminate
  }
  expect(1, 11, 23, 33);  // Table 9-13: mb_skip_flag, P
  expect(2, 11, 22, 25);
  expect(3, 11, 29, 16);
  expect(0, 70, 0, 11);  // Table 9-18: mb_field_decoding_flag
  expect(0, 1023, -30, 127);
}

TEST(CabacTables, ResidualContextsOfTheCategoriesDoNotOverlap) {
  std::set<int> used;
  const auto take = [&](int first, int count) {
    for (int i = first; i < first + count; ++i) {
      EXPECT_TRUE(used.insert(i).second) << "ctxIdx " << i;
      EXPECT_LT(i, 1024);
      EXPECT_NE(i, 276);
    }
  };
  for (int cat = 0; cat < 14; ++cat) {
    const bool is_8x8 = cat == 5 || cat == 9 || cat == 13;
    const bool is_ac = cat == 1 || cat == 4 || cat == 7 || cat == 11;
    const int num_flags = cat == 3 ? 3 : is_ac ? 14 : 15;
    for (int field = 0; field < 2; ++field) {
      take(kSignificantCoeffFlagBase[field][cat], num_flags);
      take(kLastSignificantCoeffFlagBase[field][cat], is_8x8 ? 9 : num_flags);
    }
    take(kCoeffAbsLevelMinus1Base[cat], cat == 3 ? 9 : 10);
    take(kCodedBlockFlagBase[cat], 4);
  }
  EXPECT_EQ(*used.rbegin(), 1023);
}

TEST(CabacTables, Table9_43) {
  EXPECT_EQ(kSignificantCoeffFlagInc8x8[0][5], 5);
  EXPECT_EQ(kSignificantCoeffFlagInc8x8[0][62], 12);
  EXPECT_EQ(kSignificantCoeffFlagInc8x8[1][62], 14);
  EXPECT_EQ(kLastSignificantCoeffFlagInc8x8[0], 0);
  EXPECT_EQ(kLastSignificantCoeffFlagInc8x8[62], 8);
}

template <std::size_t N>
bool is_permutation_of_indices(const std::uint8_t (&scan)[N]) {
  std::array<bool, N> seen{};
  for (const std::uint8_t i : scan) {
    if (i >= N || seen[i]) return false;
    seen[i] = true;
  }
  return true;
}

TEST(ScanTables, Figures8_8And8_9) {
  for (int field = 0; field < 2; ++field) {
    EXPECT_TRUE(is_permutation_of_indices(kScan4x4[field]));
    EXPECT_TRUE(is_permutation_of_indices(kScan8x8[field]));
  }
  EXPECT_TRUE(is_permutation_of_indices(kScanChromaDc2x2));
  EXPECT_TRUE(is_permutation_of_indices(kScanChromaDc2x4));
  // Zig-zag begins to the right, the field scan downwards.
  EXPECT_EQ(kScan4x4[0][1], 1);
  EXPECT_EQ(kScan4x4[0][2], 4);
  EXPECT_EQ(kScan4x4[1][1], 4);
  EXPECT_EQ(kScan4x4[1][2], 1);
  EXPECT_EQ(kScan8x8[0][3], 16);
  EXPECT_EQ(kScan8x8[1][2], 16);
  EXPECT_EQ(kScan8x8[1][3], 1);
  // 8-330: c = {{c0, c2}, {c1, c5}, {c3, c6}, {c4, c7}}.
  EXPECT_EQ(kScanChromaDc2x4[2], 1);
  EXPECT_EQ(kScanChromaDc2x4[5], 3);
  EXPECT_EQ(kScanChromaDc2x4[4], 6);
}

TEST(ScalingTables, Tables7_3And7_4) {
  EXPECT_EQ(kDefaultScaling4x4[0][0], 6);
  EXPECT_EQ(kDefaultScaling4x4[0][15], 42);
  EXPECT_EQ(kDefaultScaling4x4[1][0], 10);
  EXPECT_EQ(kDefaultScaling4x4[1][15], 34);
  EXPECT_EQ(kDefaultScaling8x8[0][63], 42);
  EXPECT_EQ(kDefaultScaling8x8[1][0], 9);
  for (const auto& list : kDefaultScaling4x4) EXPECT_TRUE(std::is_sorted(list, list + 16));
}

TEST(MbTypeTables, RowsOfTables7_11To7_18) {
  EXPECT_EQ(kI_NxN, 0);
  EXPECT_EQ(kI_PCM, 25);
  const Intra16x16TypeInfo& i16 = kIntra16x16TypeInfo[kI_16x16_2_1_1 - 1];
  EXPECT_EQ(i16.Intra16x16PredMode, 2);
  EXPECT_EQ(i16.CodedBlockPatternChroma, 1);
  EXPECT_EQ(i16.CodedBlockPatternLuma, 15);

  EXPECT_EQ(kP_8x8ref0, 4);
  EXPECT_EQ(kMbTypeInfoP[kP_L0_L0_8x16].NumMbPart, 2);
  EXPECT_EQ(kMbTypeInfoP[kP_L0_L0_8x16].MbPartWidth, 8);
  EXPECT_EQ(kMbTypeInfoP[kP_8x8].MbPartPredMode0, kNoPredMode);

  EXPECT_EQ(kB_8x8, 22);
  EXPECT_EQ(kMbTypeInfoB[kB_Direct_16x16].MbPartPredMode0, kDirect);
  EXPECT_EQ(kMbTypeInfoB[kB_L1_Bi_16x8].MbPartPredMode0, kPred_L1);
  EXPECT_EQ(kMbTypeInfoB[kB_L1_Bi_16x8].MbPartPredMode1, kBiPred);
  EXPECT_EQ(kMbTypeInfoB[14].MbPartHeight, 8);

  EXPECT_EQ(kSubMbTypeInfoP[kP_L0_4x8].SubMbPartWidth, 4);
  EXPECT_EQ(kSubMbTypeInfoB[kB_Direct_8x8].NumSubMbPart, 4);
  EXPECT_EQ(kSubMbTypeInfoB[kB_Bi_4x4].SubMbPredMode, kBiPred);
}

TEST(LevelTables, TableA_1) {
  const auto* level4 = std::find_if(std::begin(kLevelLimits), std::end(kLevelLimits),
                                    [](const LevelLimits& l) { return l.level_idc == 40; });
  ASSERT_NE(level4, std::end(kLevelLimits));
  EXPECT_EQ(level4->MaxMBPS, 245760u);
  EXPECT_EQ(level4->MaxFS, 8192u);
  EXPECT_EQ(level4->MaxDpbMbs, 32768u);
  EXPECT_EQ(std::size(kLevelLimits), 20u);
  for (std::size_t i = 1; i < std::size(kLevelLimits); ++i) {
    EXPECT_GE(kLevelLimits[i].MaxMBPS, kLevelLimits[i - 1].MaxMBPS);
    EXPECT_GE(kLevelLimits[i].MaxFS, kLevelLimits[i - 1].MaxFS);
    EXPECT_GE(kLevelLimits[i].MaxDpbMbs, kLevelLimits[i - 1].MaxDpbMbs);
  }
}

}  // namespace
}  // namespace cope::h264
