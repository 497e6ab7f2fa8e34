// Compiled, never run: kernels that parse slices, one per thread, prove that the slice-data parsers
// are device code. tools/check_device_code.sh builds them.
#include <cstddef>
#include <cstdint>

#include "cope/h264/cabac_reader.h"
#include "cope/h264/cavlc_reader.h"
#include "cope/h264/slice_data.h"
#include "cope/h265/slice_data.h"

namespace cope::h264 {

/// A slice, where its data lies and where it goes.
struct SliceTask {
  SliceParams params;
  PictureArrays arrays;
  OutputCursor cursor;
  const std::uint8_t* rbsp;
  std::size_t size_bytes;
  std::size_t data_bit_offset;
  SliceResult result;
};

__global__ void parse_cabac_slices_kernel(SliceTask* tasks, std::int64_t num_tasks) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= num_tasks) return;
  SliceTask& task = tasks[i];
  CabacContexts contexts;
  contexts.init(task.params);
  CabacReader reader(contexts, task.rbsp, task.size_bytes, task.data_bit_offset);
  task.result = parse_slice_data(task.params, task.arrays, task.cursor, reader);
}

__global__ void parse_cavlc_slices_kernel(SliceTask* tasks, std::int64_t num_tasks) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= num_tasks) return;
  SliceTask& task = tasks[i];
  const bits::BitReader none;
  CavlcReader reader(bits::BitReader(task.rbsp, task.size_bytes, task.data_bit_offset), none, none,
                     false);
  task.result = parse_slice_data(task.params, task.arrays, task.cursor, reader);
}

}  // namespace cope::h264

namespace cope::h265 {

/// A slice segment, where its data lies and where it goes.
struct SegmentTask {
  SliceParams params;
  PictureArrays arrays;
  OutputCursor cursor;
  const std::uint8_t* rbsp;
  std::size_t size_bytes;
  std::size_t data_bit_offset;
  SegmentResult result;
};

__global__ void parse_slice_segments_kernel(SegmentTask* tasks, std::int64_t num_tasks) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= num_tasks) return;
  SegmentTask& task = tasks[i];
  EntropyState entropy;
  CabacReader reader(entropy, task.rbsp, task.size_bytes, task.data_bit_offset);
  SliceSegmentParser parser(task.params, task.arrays, task.cursor, reader);
  task.result = parser.parse();
}

}  // namespace cope::h265
