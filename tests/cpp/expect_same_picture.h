#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <span>

#include "cope/prim/picture_primitives.h"

namespace cope {

template <class T>
void expect_same(std::span<const T> a, std::span<const T> b, const char* what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  EXPECT_TRUE(a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0) << what;
}

/// Everything that pass 1 leaves in a picture.
inline void expect_same_parse(const prim::PicturePrimitives& a, const prim::PicturePrimitives& b) {
  EXPECT_EQ(a.info.qp_sum, b.info.qp_sum);
  EXPECT_EQ(a.info.qp_min, b.info.qp_min);
  EXPECT_EQ(a.info.qp_max, b.info.qp_max);
  EXPECT_EQ(a.info.num_slices, b.info.num_slices);
  EXPECT_EQ(a.info.num_blocks_lost, b.info.num_blocks_lost);
  expect_same(a.blocks.type.span(), b.blocks.type.span(), "type");
  expect_same(a.blocks.flags.span(), b.blocks.flags.span(), "flags");
  expect_same(a.blocks.partition.span(), b.blocks.partition.span(), "partition");
  expect_same(a.blocks.partition_shape.span(), b.blocks.partition_shape.span(), "shape");
  expect_same(a.blocks.qp.span(), b.blocks.qp.span(), "qp");
  expect_same(a.blocks.slice_idx.span(), b.blocks.slice_idx.span(), "slice_idx");
  expect_same(a.blocks.bits.span(), b.blocks.bits.span(), "bits");
  expect_same(a.coeffs.records.span(), b.coeffs.records.span(), "records");
  expect_same(a.coeffs.positions.span(), b.coeffs.positions.span(), "positions");
  expect_same(a.coeffs.levels.span(), b.coeffs.levels.span(), "levels");
  expect_same(std::span(a.scaling), std::span(b.scaling), "scaling");
}

}  // namespace cope
