#include "tasks/top.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace alexnet {

std::vector<double> softmax(std::span<const float> logits) {
  std::vector<double> result(logits.begin(), logits.end());
  if (result.empty()) return result;
  const double largest = *std::max_element(result.begin(), result.end());
  double sum = 0;
  for (double& value : result) sum += value = std::exp(value - largest);
  for (double& value : result) value /= sum;
  return result;
}

std::vector<ScoredClass> top(std::span<const double> probabilities, std::size_t k) {
  std::vector<std::int64_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto value = [&](std::int64_t i) { return probabilities[static_cast<std::size_t>(i)]; };
  const auto before = [&](std::int64_t a, std::int64_t b) {
    if (std::isnan(value(a)) || std::isnan(value(b)))
      return std::isnan(value(a)) == std::isnan(value(b)) ? a < b : std::isnan(value(b));
    return value(a) != value(b) ? value(a) > value(b) : a < b;
  };
  k = std::min(k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(), before);
  std::vector<ScoredClass> result;
  for (std::size_t i = 0; i < k; ++i) result.push_back({order[i], value(order[i])});
  return result;
}

}  // namespace alexnet
