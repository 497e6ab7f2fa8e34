#include "cope/prim/coeff_stream.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace cope::prim {
namespace {

constexpr std::size_t kRecordBytes = sizeof(CoeffRecord);
constexpr std::size_t kLevelBytes = sizeof(std::uint16_t) + sizeof(std::int32_t);

/// Levels of a picture with so many blocks, four levels each, in buffers of a larger one.
void write(CoeffStream& coeffs, std::size_t num_records) {
  coeffs.records.set_size(num_records);
  coeffs.positions.set_size(4 * num_records);
  coeffs.levels.set_size(4 * num_records);
}

std::size_t idle_bytes(const CoeffStream& coeffs) {
  return coeffs.records.idle_bytes() + coeffs.positions.idle_bytes() + coeffs.levels.idle_bytes();
}

TEST(CoeffStream, KeepsWhatLargerPicturesLeftUpToALimit) {
  CoeffStream coeffs;
  coeffs.records.resize_uninitialized(100000);
  coeffs.positions.resize_uninitialized(400000);
  coeffs.levels.resize_uninitialized(400000);
  write(coeffs, 100000);
  write(coeffs, 40000);
  constexpr std::size_t kIdle = 60000 * (kRecordBytes + 4 * kLevelBytes);
  EXPECT_EQ(idle_bytes(coeffs), kIdle);
  coeffs.trim(kIdle);
  EXPECT_EQ(idle_bytes(coeffs), kIdle);
  coeffs.trim(kIdle - 1);
  EXPECT_EQ(idle_bytes(coeffs), 0u);
  EXPECT_EQ(coeffs.size_bytes(), 40000 * (kRecordBytes + 4 * kLevelBytes));
}

}  // namespace
}  // namespace cope::prim
