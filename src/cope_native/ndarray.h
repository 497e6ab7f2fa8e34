#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>

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

/// A NumPy array that owns `values`, a std::vector or Buffer.
template <class Values>
NumpyArray<typename Values::value_type> take(Values&& values,
                                             std::initializer_list<std::size_t> shape) {
  static_assert(!std::is_lvalue_reference_v<Values>, "the array takes the memory over");
  auto keeper = std::make_unique<Values>(std::move(values));
  auto* const data = keeper->data();
  nanobind::capsule capsule(keeper.get(), [](void* p) noexcept { delete static_cast<Values*>(p); });
  keeper.release();
  return {data, shape.size(), shape.begin(), capsule};
}

}  // namespace cope::native
