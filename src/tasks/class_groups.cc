#include "tasks/class_groups.h"

#include <algorithm>
#include <map>
#include <utility>

namespace alexnet {
namespace {

std::vector<std::int64_t> most_mistaken(std::span<const Confusion> mistakes, std::size_t most) {
  std::map<std::int64_t, std::uint64_t> of_class;
  for (const auto& [target, answer, pictures] : mistakes) {
    of_class[target] += pictures;
    of_class[answer] += pictures;
  }
  std::vector<std::pair<std::uint64_t, std::int64_t>> counts;
  for (const auto& [index, pictures] : of_class) counts.emplace_back(pictures, index);
  std::ranges::stable_sort(counts, std::greater<>{}, [](const auto& count) { return count.first; });
  counts.resize(std::min(most, counts.size()));
  std::vector<std::int64_t> classes;
  for (const auto& [pictures, index] : counts) classes.push_back(index);
  std::ranges::sort(classes);
  return classes;
}

}  // namespace

std::vector<std::vector<std::int64_t>> class_groups(std::span<const Confusion> mistakes, std::size_t most) {
  const auto classes = most_mistaken(mistakes, most);
  const std::size_t n = classes.size();
  const auto position = [&](std::int64_t index) -> std::size_t {
    const auto at = std::ranges::lower_bound(classes, index);
    return at != classes.end() && *at == index ? static_cast<std::size_t>(at - classes.begin()) : n;
  };

  // Shares of all edges' ends: between two groups, and of a group at all.
  std::vector<double> between(n * n, 0.0);
  std::vector<double> ends(n, 0.0);
  double all = 0;
  for (const auto& [target, answer, pictures] : mistakes) {
    const std::size_t i = position(target);
    const std::size_t j = position(answer);
    if (i == n || j == n) continue;
    const auto weight = static_cast<double>(pictures);
    between[i * n + j] += weight;
    between[j * n + i] += weight;
    all += 2 * weight;
  }
  if (all == 0) return {};
  for (double& share : between) share /= all;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) ends[i] += between[i * n + j];
  }

  std::vector<std::vector<std::int64_t>> groups;
  for (const auto index : classes) groups.push_back({index});
  for (;;) {
    // The pair whose union raises modularity most: by 2 (e_ij - a_i a_j).
    double best = 0;
    std::size_t first = n;
    std::size_t second = n;
    for (std::size_t i = 0; i < n; ++i) {
      if (groups[i].empty()) continue;
      for (std::size_t j = i + 1; j < n; ++j) {
        const double gain = between[i * n + j] - ends[i] * ends[j];
        if (groups[j].empty() || gain <= best) continue;
        best = gain;
        first = i;
        second = j;
      }
    }
    if (first == n) break;
    groups[first].insert(groups[first].end(), groups[second].begin(), groups[second].end());
    groups[second].clear();
    for (std::size_t k = 0; k < n; ++k) {
      between[first * n + k] += between[second * n + k];
      between[k * n + first] = between[first * n + k];
    }
    ends[first] += ends[second];
  }
  std::erase_if(groups, [](const auto& group) { return group.empty(); });
  std::ranges::stable_sort(groups, std::greater<>{}, [](const auto& group) { return group.size(); });
  return groups;
}

}  // namespace alexnet
