#include "base/memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

#include "base/cgroup.h"
#include "base/text.h"

namespace alexnet {
namespace {

std::uint64_t less(std::uint64_t limit, std::uint64_t used) { return limit > used ? limit - used : 0; }

std::optional<std::uint64_t> number_in(const std::filesystem::path& file) {
  const auto number = parse_integer(trim(cgroup_value(file)));
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

// "MemAvailable:   12345 kB" of /proc/meminfo, in bytes.
std::optional<std::uint64_t> machine_available() {
  std::ifstream file("/proc/meminfo");
  for (std::string key, value, rest; file >> key >> value && std::getline(file, rest);) {
    if (key != "MemAvailable:") continue;
    if (const auto kibibytes = parse_integer(value)) return static_cast<std::uint64_t>(*kibibytes) * 1024;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> address_space_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return less(limit.rlim_cur, pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

// Pages of files are counted as used but given back at need ("inactive_file 123" and so on).
std::uint64_t file_pages(const std::filesystem::path& group) {
  std::uint64_t bytes = 0;
  std::ifstream file(group / "memory.stat");
  std::string key;
  for (std::uint64_t value = 0; file >> key >> value;) {
    if (key == "inactive_file" || key == "active_file") bytes += value;
  }
  return bytes;
}

}  // namespace

std::uint64_t free_memory() {
  std::uint64_t least = UINT64_MAX;
  const auto bound = [&least](std::optional<std::uint64_t> bytes) { least = std::min(least, bytes.value_or(UINT64_MAX)); };
  bound(machine_available());
  bound(address_space_left());
  for (const auto& group : cgroup_folders("memory")) {
    for (const auto& [limit_name, used_name] :
         {std::pair{"memory.max", "memory.current"}, std::pair{"memory.limit_in_bytes", "memory.usage_in_bytes"}}) {
      const auto limit = number_in(group / limit_name);
      if (limit) bound(less(*limit, less(number_in(group / used_name).value_or(0), file_pages(group))));
    }
  }
  return least;
}

}  // namespace alexnet
