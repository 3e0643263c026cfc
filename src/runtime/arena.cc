#include "runtime/arena.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"

namespace alexnet {
namespace {

constexpr std::uint64_t kAlignment = 64;

std::optional<std::uint64_t> aligned(std::uint64_t bytes) {
  const auto up = checked_add(bytes, kAlignment - 1);
  return up ? std::optional(*up / kAlignment * kAlignment) : std::nullopt;
}

bool together(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

std::optional<ArenaPlan> plan_arena(std::span<const Lifetime> lifetimes) {
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return lifetimes[i].bytes; });
  ArenaPlan plan{.offsets = std::vector<std::uint64_t>(lifetimes.size()), .bytes = 0};
  std::vector<std::size_t> placed;  // by offset
  for (const auto i : order) {
    const auto bytes = aligned(lifetimes[i].bytes);
    if (!bytes) return std::nullopt;
    std::uint64_t offset = 0;
    for (const auto other : placed) {
      if (!together(lifetimes[i], lifetimes[other])) continue;
      if (plan.offsets[other] >= offset && plan.offsets[other] - offset >= *bytes) break;
      offset = std::max(offset, plan.offsets[other] + *aligned(lifetimes[other].bytes));
    }
    const auto end = checked_add(offset, *bytes);
    if (!end) return std::nullopt;
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, *end);
    placed.insert(std::ranges::upper_bound(placed, offset, {}, [&](std::size_t j) { return plan.offsets[j]; }), i);
  }
  return plan;
}

}  // namespace alexnet
