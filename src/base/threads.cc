#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/cgroup.h"
#include "base/text.h"

namespace alexnet {
namespace {

std::optional<double> ratio(std::string_view quota, std::string_view period) {
  const auto q = parse_number(trim(quota));
  const auto p = parse_number(trim(period));
  if (!q || !p || *q <= 0 || *p <= 0) return std::nullopt;
  return *q / *p;
}

std::optional<double> quota_in(const std::filesystem::path& folder) {
  const auto v2 = split(cgroup_value(folder / "cpu.max"), ' ');
  if (v2.size() == 2) return ratio(v2[0], v2[1]);
  return ratio(cgroup_value(folder / "cpu.cfs_quota_us"), cgroup_value(folder / "cpu.cfs_period_us"));
}

// The tightest quota from this process's cgroup up to the root of the hierarchy.
std::optional<double> cgroup_quota() {
  std::optional<double> tightest;
  for (const auto& folder : cgroup_folders("cpu")) {
    const auto quota = quota_in(folder);
    if (quota && (!tightest || *quota < *tightest)) tightest = quota;
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
