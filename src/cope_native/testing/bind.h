#pragma once

#include <nanobind/nanobind.h>

namespace cope::testing {

void bind_bits(nanobind::module_& m);
void bind_entropy(nanobind::module_& m);
void bind_loops(nanobind::module_& m);
void bind_tables(nanobind::module_& m);

}  // namespace cope::testing
