#include "cope/cpu/saliency.h"

#include <cmath>

#include "cope/cpu/energy_sink.h"
#include "cope/cpu/lattice.h"

namespace cope::cpu {
namespace {

void accumulate_bits(const prim::PicturePrimitives& picture, Spreader& spreader) {
  const prim::BlockMap& blocks = picture.blocks;
  const std::int32_t cells = blocks.block_size / 4;
  const float samples = static_cast<float>(blocks.block_size * blocks.block_size);
  const bool adds_rows = !picture.info.mbaff && spreader.holds_blocks(cells);
  for (std::int32_t y = 0; y < blocks.height; ++y) {
    const std::size_t row = static_cast<std::size_t>(y) * static_cast<std::size_t>(blocks.width);
    std::int32_t x = 0;
    if (adds_rows) {
      x = spreader.add_row(y * cells, cells, blocks.bits.data() + row, blocks.width, 1 / samples) /
          cells;
    }
    for (; x < blocks.width; ++x) {
      const std::size_t block = row + static_cast<std::size_t>(x);
      const float density = static_cast<float>(blocks.bits[block]) / samples;
      if (is_mbaff_field(picture.info, blocks.flags[block])) {
        // A field macroblock has half of the samples of its pair, spread over all of it.
        spreader.add(x * cells, y / 2 * 2 * cells, cells, 2 * cells, density / 2);
      } else {
        spreader.add(x * cells, y * cells, cells, cells, density);
      }
    }
  }
}

}  // namespace

void accumulate_saliency(const prim::PicturePrimitives& picture, const CellGrid& grid, float weight,
                         float* bits, float* energy) {
  if (bits != nullptr) {
    Spreader spreader(picture.info, grid, weight, bits);
    accumulate_bits(picture, spreader);
  }
  if (energy != nullptr) {
    const float sample = eight_bit_unit(picture.info.bit_depth_luma);
    Spreader spreader(picture.info, grid, weight, energy);
    if (picture.info.codec == prim::Codec::kH265) {
      H265EnergySink sink(spreader, sample * sample);
      h265::TransformBlocks(picture, sink).walk();
    } else {
      EnergySink sink(spreader, sample * sample);
      CoeffBlocks(picture, sink).walk();
    }
  }
}

void write_saliency(const prim::PicturePrimitives& picture, const CellGrid& grid,
                    const float* motion, float* out) {
  const std::size_t size = grid.size();
  std::fill_n(out, 2 * size, 0.0F);
  accumulate_saliency(picture, grid, 1.0F, out, out + size);
  for (std::size_t i = size; i < 2 * size; ++i) out[i] = std::sqrt(out[i]);
  const PlaneSize display = display_size(picture.info);
  const float aspect = static_cast<float>(display.width) / static_cast<float>(display.height);
  for (std::size_t i = 0; i < size; ++i) {
    out[2 * size + i] = motion_length(motion[i], motion[size + i], aspect);
  }
}

}  // namespace cope::cpu
