#pragma once

#include <nanobind/nanobind.h>

namespace cope::native {

// One function per group of Python names; each defines them on the module.
void bind_errors(nanobind::module_& m);
void bind_picture(nanobind::module_& m);
void bind_reader(nanobind::module_& m);
void bind_ops(nanobind::module_& m);

}  // namespace cope::native
