#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"
#include "cope/cpu/compose.h"
#include "cope/cpu/rasterise.h"
#include "cope/cpu/residual.h"
#include "cope/cpu/saliency.h"
#include "ndarray.h"
#include "picture.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace cope::native {
namespace {

cpu::BiPrediction bi_prediction_of(const std::string& name) {
  if (name == "average") return cpu::BiPrediction::kAverage;
  if (name == "list0") return cpu::BiPrediction::kList0;
  if (name == "nearest") return cpu::BiPrediction::kNearest;
  throw nb::value_error("bi_prediction must be 'average', 'list0' or 'nearest'");
}

std::size_t area(cpu::PlaneSize size) {
  return static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
}

template <class T>
using Planes = nb::typed<nb::tuple, NumpyArray<T>, NumpyArray<T>, NumpyArray<T>>;

template <class T>
Planes<T> take_planes(std::array<std::vector<T>, 3>&& values,
                      const std::array<cpu::PlaneSize, 3>& sizes) {
  const auto plane = [&](std::size_t i) {
    return take(std::move(values[i]), {static_cast<std::size_t>(sizes[i].height),
                                       static_cast<std::size_t>(sizes[i].width)});
  };
  return Planes<T>(nb::make_tuple(plane(0), plane(1), plane(2)));
}

Planes<std::int16_t> residual(const NativePicture& picture) {
  const prim::PicturePrimitives& primitives = *picture.primitives;
  std::array<std::vector<std::int16_t>, 3> values;
  std::array<cpu::PlaneSize, 3> sizes;
  {
    const nb::gil_scoped_release release;
    cpu::Plane<std::int16_t> planes[3];
    for (int i = 0; i < 3; ++i) {
      const auto at = static_cast<std::size_t>(i);
      sizes[at] = cpu::plane_size(primitives.info, i);
      values[at].resize(area(sizes[at]));
      if (!values[at].empty()) {
        planes[i] = {values[at].data(), sizes[at].width, sizes[at].width, sizes[at].height};
      }
    }
    cpu::write_residual(primitives, planes);
  }
  return take_planes(std::move(values), sizes);
}

Planes<float> scaled_residual(const NativePicture& picture, std::int32_t scale) {
  const prim::PicturePrimitives& primitives = *picture.primitives;
  std::array<std::vector<float>, 3> values;
  std::array<cpu::PlaneSize, 3> sizes;
  {
    const nb::gil_scoped_release release;
    cpu::Plane<float> planes[3];
    cpu::ResidualScale scales[3];
    for (int i = 0; i < 3; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (area(cpu::plane_size(primitives.info, i)) == 0) continue;
      scales[i] = cpu::luma_grid_scale(primitives.info, i, scale);
      sizes[at] = cpu::scaled_plane_size(primitives.info, i, scales[i]);
      values[at].resize(area(sizes[at]));
      planes[i] = {values[at].data(), sizes[at].width, sizes[at].width, sizes[at].height};
    }
    cpu::write_scaled_residual(primitives, scales, planes);
  }
  return take_planes(std::move(values), sizes);
}

nb::typed<nb::tuple, NumpyArray<float>, NumpyArray<float>> rasterise_motion(
    const NativePicture& picture, std::int32_t cell, const std::string& bi_prediction) {
  const cpu::CellGrid grid = cpu::make_cell_grid(picture.primitives->info, cell);
  std::vector<float> motion(2 * grid.size());
  std::vector<float> valid(grid.size());
  cpu::rasterise_motion(*picture.primitives, picture.times.view(), grid,
                        bi_prediction_of(bi_prediction), motion.data(), valid.data());
  const auto height = static_cast<std::size_t>(grid.height);
  const auto width = static_cast<std::size_t>(grid.width);
  return nb::make_tuple(take(std::move(motion), {2, height, width}),
                        take(std::move(valid), {height, width}));
}

NumpyArray<float> saliency(const NativePicture& picture, std::int32_t cell) {
  const cpu::CellGrid grid = cpu::make_cell_grid(picture.primitives->info, cell);
  std::vector<float> motion(2 * grid.size());
  std::vector<float> valid(grid.size());
  std::vector<float> out(3 * grid.size());
  cpu::rasterise_motion(*picture.primitives, picture.times.view(), grid,
                        cpu::BiPrediction::kAverage, motion.data(), valid.data());
  cpu::write_saliency(*picture.primitives, grid, motion.data(), out.data());
  return take(std::move(out),
              {3, static_cast<std::size_t>(grid.height), static_cast<std::size_t>(grid.width)});
}

// The window from pictures[0] to pictures[-1], which are in decoding order. When the second is the
// other field of the first, both are the start.
NamedValues compose(const std::vector<NativePicture*>& pictures, std::int32_t cell,
                    std::int32_t residual_scale, const std::string& bi_prediction) {
  cpu::WindowComposer composer({cell, residual_scale, bi_prediction_of(bi_prediction)});
  const NativePicture& start = *pictures.front();
  const NativePicture& target = *pictures.back();
  std::vector<float> motion, valid, intra, lost, scaled, residual, saliency;
  std::size_t height = 0, width = 0, residual_height = 0, residual_width = 0;
  {
    const nb::gil_scoped_release release;
    const std::int64_t first = start.primitives->info.decode_index;
    const prim::PictureInfo& second = pictures[1]->primitives->info;
    const std::size_t num_fields =
        second.is_second_field && second.decode_index == first + 1 ? 2 : 1;
    const std::array<std::int64_t, 2> fields{first, first + 1};
    composer.begin({fields.data(), num_fields}, start.seconds);
    for (std::size_t i = num_fields; i < pictures.size(); ++i) {
      composer.add(*pictures[i]->primitives, pictures[i]->times.view());
    }
    const cpu::CellGrid& grid = composer.grid();
    const cpu::CellGrid& residual_grid = composer.residual_grid();
    height = static_cast<std::size_t>(grid.height);
    width = static_cast<std::size_t>(grid.width);
    residual_height = static_cast<std::size_t>(residual_grid.height);
    residual_width = static_cast<std::size_t>(residual_grid.width);
    motion.resize(2 * grid.size());
    valid.resize(grid.size());
    intra.resize(grid.size());
    lost.resize(grid.size());
    scaled.resize(grid.size());
    residual.resize(3 * residual_grid.size());
    saliency.resize(3 * grid.size());
    if (!composer.result(target.primitives->info.decode_index,
                         {motion.data(), valid.data(), intra.data(), lost.data(), scaled.data(),
                          residual.data(), saliency.data()})) {
      throw std::logic_error("the window has no result");
    }
  }
  NamedValues d;
  d["start"] = start.seconds;
  d["timestamp"] = target.seconds;
  d["motion"] = take(std::move(motion), {2, height, width});
  d["valid"] = take(std::move(valid), {height, width});
  d["intra"] = take(std::move(intra), {height, width});
  d["lost"] = take(std::move(lost), {height, width});
  d["scaled"] = take(std::move(scaled), {height, width});
  d["residual"] = take(std::move(residual), {3, residual_height, residual_width});
  d["saliency"] = take(std::move(saliency), {3, height, width});
  return d;
}

}  // namespace

void bind_ops(nb::module_& m) {
  m.def("residual", residual, "picture"_a);
  m.def("scaled_residual", scaled_residual, "picture"_a, "scale"_a);
  m.def("rasterise_motion", rasterise_motion, "picture"_a, "cell"_a, "bi_prediction"_a);
  m.def("saliency", saliency, "picture"_a, "cell"_a);
  m.def("compose", compose, "pictures"_a, "cell"_a, "residual_scale"_a, "bi_prediction"_a);
}

}  // namespace cope::native
