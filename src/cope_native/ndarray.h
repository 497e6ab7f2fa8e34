#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <vector>

namespace cope::native {

template <class T>
using NumpyArray = nanobind::ndarray<nanobind::numpy, T>;

/// What Python calls `dict[str, Any]`.
using NamedValues = nanobind::typed<nanobind::dict, nanobind::str, nanobind::any>;

/// A read-only NumPy view of memory that `owner` holds; it keeps `owner` alive.
template <class T, class Owner>
NumpyArray<const T> view(const std::shared_ptr<Owner>& owner, const T* data,
                         std::initializer_list<std::size_t> shape) {
  auto keeper = std::make_unique<std::shared_ptr<Owner>>(owner);
  nanobind::capsule capsule(
      keeper.get(), [](void* p) noexcept { delete static_cast<std::shared_ptr<Owner>*>(p); });
  keeper.release();
  return {data, shape.size(), shape.begin(), capsule};
}

/// A NumPy array that owns `values`.
template <class T>
NumpyArray<T> take(std::vector<T>&& values, std::initializer_list<std::size_t> shape) {
  auto keeper = std::make_unique<std::vector<T>>(std::move(values));
  T* const data = keeper->data();
  nanobind::capsule capsule(keeper.get(),
                            [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  keeper.release();
  return {data, shape.size(), shape.begin(), capsule};
}

}  // namespace cope::native
