#include <nanobind/nanobind.h>

#include "bindings.h"
#include "cope/base/cpu_count.h"

NB_MODULE(_native, m) {
  m.doc() = "Native core of cope. Private: use the names of the package `cope`.";
  cope::native::bind_errors(m);
  cope::native::bind_picture(m);
  cope::native::bind_reader(m);
  cope::native::bind_ops(m);
  m.def("available_cpus", &cope::available_cpus,
        "CPUs that this process may keep busy: affinity, cgroup quota, COPE_NUM_THREADS.");
}
