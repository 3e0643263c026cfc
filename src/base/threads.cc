#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<double> ratio(std::string_view quota, std::string_view period) {
  const auto q = parse_number(trim(quota));
  const auto p = parse_number(trim(period));
  if (!q || !p || *q <= 0 || *p <= 0) return std::nullopt;
  return *q / *p;
}

std::optional<double> quota_in(const fs::path& folder) {
  const auto v2 = split(first_line(folder / "cpu.max"), ' ');
  if (v2.size() == 2) return ratio(v2[0], v2[1]);
  return ratio(first_line(folder / "cpu.cfs_quota_us"), first_line(folder / "cpu.cfs_period_us"));
}

// The tightest quota from this process's cgroup up to the root of the hierarchy.
std::optional<double> cgroup_quota() {
  std::optional<double> tightest;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    const bool v2 = fields[0] == "0" && fields[1].empty();
    const auto controllers = split(fields[1], ',');
    if (!v2 && std::find(controllers.begin(), controllers.end(), "cpu") == controllers.end()) continue;
    const fs::path root = v2                                 ? "/sys/fs/cgroup"
                          : fs::exists("/sys/fs/cgroup/cpu") ? "/sys/fs/cgroup/cpu"
                                                             : "/sys/fs/cgroup/cpu,cpuacct";
    for (fs::path group = fs::path(fields[2]).relative_path();; group = group.parent_path()) {
      const auto quota = quota_in(root / group);
      if (quota && (!tightest || *quota < *tightest)) tightest = quota;
      if (group.empty()) break;
    }
  }
  return tightest;
}

}  // namespace

ThreadBudget thread_budget() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int processors = ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
  ThreadBudget budget{processors, fmt::format("{} processor{} allowed by affinity", processors, processors == 1 ? "" : "s")};
  if (const auto quota = cgroup_quota(); quota && std::ceil(*quota) < budget.threads) {
    budget = {std::max(1, static_cast<int>(std::ceil(*quota))), fmt::format("cgroup quota of {} processors", shortest(*quota))};
  }
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    // The first number of a nesting list such as "4,2" is the one for our level; nonsense is as if it were unset.
    const auto wanted = parse_integer(trim(split(text, ',').front()));
    if (wanted && *wanted > 0 && *wanted < budget.threads) budget = {static_cast<int>(*wanted), "OMP_NUM_THREADS"};
  }
  return budget;
}

}  // namespace alexnet
