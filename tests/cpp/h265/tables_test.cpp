// Spot values entered by hand and rules that the tables follow. The scans and the contexts of
// sig_coeff_flag are held against their formulas by residual_coding_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "cope/h265/cabac_tables.h"
#include "cope/h265/slice_data_tables.h"

namespace cope::h265 {
namespace {

TEST(Tables, InitValuesOfTables9_5To9_37) {
  const auto is = [](int ctxIdx, int i, int p, int b) {
    return kCabacInitValue[0][ctxIdx] == i && kCabacInitValue[1][ctxIdx] == p &&
           kCabacInitValue[2][ctxIdx] == b;
  };
  EXPECT_TRUE(is(kCtxSaoTypeIdx, 200, 185, 160));
  EXPECT_TRUE(is(kCtxSplitCuFlag + 2, 157, 126, 126));
  EXPECT_TRUE(is(kCtxPartMode, 184, 154, 154));
  EXPECT_TRUE(is(kCtxCbfLuma + 1, 141, 111, 111));
  EXPECT_TRUE(is(kCtxCodedSubBlockFlag, 91, 121, 121));
  EXPECT_TRUE(is(kCtxCoeffAbsLevelGreater2Flag + 5, 152, 167, 167));
  EXPECT_EQ(kCabacInitValue[1][kCtxCuSkipFlag], 197);
  EXPECT_EQ(kCabacInitValue[2][kCtxCuSkipFlag + 2], 201);
  EXPECT_EQ(kCabacInitValue[1][kCtxMergeIdx], 122);
  EXPECT_EQ(kCabacInitValue[2][kCtxMergeIdx], 137);
}

TEST(Tables, ContextsOfOneElementFollowThoseOfAnother) {
  EXPECT_EQ(kCtxCuSkipFlag - kCtxCuTransquantBypassFlag, 1);
  EXPECT_EQ(kCtxLastSigCoeffYPrefix - kCtxLastSigCoeffXPrefix, 18);
  // residual_coding() adds 27 for chroma, and goes on behind the 42 of version 1.
  EXPECT_EQ(kCtxSigCoeffFlagTransformSkipContext - kCtxSigCoeffFlag, 42);
  EXPECT_EQ(kNumContexts - kCtxResScaleSignFlag, 2);
}

TEST(Tables, SubBlockScansAndTheirInverses) {
  for (unsigned scanIdx = 0; scanIdx < 3; ++scanIdx) {
    for (unsigned log2 = 0; log2 < 4; ++log2) {
      for (unsigned i = 0; i < 1u << (2 * log2); ++i) {
        EXPECT_EQ(kSubBlockPos[scanIdx][log2][kSubBlockScan[scanIdx][log2][i]], i);
      }
    }
    for (unsigned i = 0; i < 16; ++i) {
      EXPECT_EQ(kScanPos4x4[scanIdx][kCoeffOffset[scanIdx][0][i]], i);
    }
  }
}

TEST(Tables, QpCOfTable8_10) {
  constexpr int kBend[] = {29, 30, 31, 32, 33, 33, 34, 34, 35, 35, 36, 36, 37, 37};
  for (int qPi = 0; qPi <= 57; ++qPi) {
    EXPECT_EQ(kQpC[qPi], qPi < 30 ? qPi : qPi < 44 ? kBend[qPi - 30] : qPi - 6) << qPi;
  }
}

TEST(Tables, ModesOfTable8_3) {
  EXPECT_EQ(kIntraPredModeC422[0], 0);    // planar
  EXPECT_EQ(kIntraPredModeC422[1], 1);    // DC
  EXPECT_EQ(kIntraPredModeC422[10], 10);  // horizontal
  EXPECT_EQ(kIntraPredModeC422[26], 26);  // vertical
  EXPECT_EQ(kIntraPredModeC422[34], 31);
  EXPECT_TRUE(std::is_sorted(kIntraPredModeC422 + 2, kIntraPredModeC422 + 35));
}

}  // namespace
}  // namespace cope::h265
