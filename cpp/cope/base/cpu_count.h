#pragma once

#include <optional>
#include <string>

namespace cope {

/// CPUs that this process may keep busy, at least 1: scheduler affinity and cgroup quota, or the
/// environment variable COPE_NUM_THREADS where it holds a positive number.
int available_cpus();

/// CPU quota of the control group named by `self_cgroup` (format of /proc/self/cgroup) under the
/// mount point `cgroup_root`, its ancestors included, rounded up; nothing where there is no quota.
std::optional<int> cgroup_cpu_limit(const std::string& cgroup_root, const std::string& self_cgroup);

}  // namespace cope
