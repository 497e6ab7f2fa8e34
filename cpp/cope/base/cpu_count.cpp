#include "cope/base/cpu_count.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace cope {
namespace {

std::optional<int> whole_cpus(double quota, double period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  return static_cast<int>(std::clamp(std::ceil(quota / period), 1.0, 65536.0));
}

// cpu.max of cgroup v2: "max 100000" or "150000 100000", microseconds.
std::optional<int> v2_limit(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return std::nullopt;
  return whole_cpus(std::strtod(quota.c_str(), nullptr), period);
}

std::optional<int> v1_limit(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (!(quota_file >> quota) || !(period_file >> period)) return std::nullopt;
  return whole_cpus(quota, period);
}

// The tightest quota from `path` up to the mount point: every level binds.
template <class LimitOfFolder>
std::optional<int> tightest(const std::string& root, std::string path, LimitOfFolder limit_of) {
  std::optional<int> limit;
  for (;;) {
    if (path == "/") path.clear();
    if (const auto here = limit_of(root + path)) limit = std::min(limit.value_or(*here), *here);
    if (path.empty()) return limit;
    path.erase(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
  }
}

int affinity_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

std::optional<int> cgroup_cpu_limit(const std::string& cgroup_root,
                                    const std::string& self_cgroup) {
  std::optional<int> limit;
  const auto take = [&limit](std::optional<int> found) {
    if (found) limit = std::min(limit.value_or(*found), *found);
  };
  std::istringstream lines(self_cgroup);
  // Each line is "hierarchy-ID:controller-list:path"; v2 is the hierarchy 0 without controllers.
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string path = line.substr(second + 1);
    if (second == first + 1) {
      take(tightest(cgroup_root, path, v2_limit));
      continue;
    }
    std::istringstream controllers(line.substr(first + 1, second - first - 1));
    for (std::string name; std::getline(controllers, name, ',');) {
      if (name == "cpu") take(tightest(cgroup_root + "/cpu", path, v1_limit));
    }
  }
  return limit;
}

int available_cpus() {
  if (const char* text = std::getenv("COPE_NUM_THREADS")) {
    const std::string value(text);
    int number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc() && end == value.data() + value.size() && number > 0) return number;
  }
  int cpus = std::max(1, affinity_cpus());
  std::ifstream file("/proc/self/cgroup");
  std::ostringstream self_cgroup;
  self_cgroup << file.rdbuf();
  if (const auto limit = cgroup_cpu_limit("/sys/fs/cgroup", self_cgroup.str())) {
    cpus = std::min(cpus, *limit);
  }
  return cpus;
}

}  // namespace cope
