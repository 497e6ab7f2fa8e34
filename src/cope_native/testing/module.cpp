#include "bind.h"

NB_MODULE(_native_testing, m) {
  m.doc() = "The innermost C++ functions of cope, for its own tests.";
  cope::testing::bind_bits(m);
  cope::testing::bind_entropy(m);
  cope::testing::bind_loops(m);
  cope::testing::bind_tables(m);
}
