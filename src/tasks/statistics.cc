#include "tasks/statistics.h"

#include <algorithm>
#include <cmath>

namespace alexnet {
namespace {

constexpr double kNormal95 = 1.959963984540054;  // the normal distribution's 0.975 quantile
constexpr std::uint64_t kFew = 25;               // below, chi-squared is too far off (McNemar 1947; Dietterich 1998)

// P(X <= k) for X of n fair coins.
double binomial_tail(std::uint64_t k, std::uint64_t n) {
  double ways = 1;
  double sum = 1;
  for (std::uint64_t i = 1; i <= k; ++i) {
    ways *= static_cast<double>(n - i + 1) / static_cast<double>(i);
    sum += ways;
  }
  return std::ldexp(sum, -static_cast<int>(n));
}

}  // namespace

Interval wilson_interval(std::uint64_t hits, std::uint64_t trials) {
  if (trials == 0) return {};
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(hits) / n;
  const double z2 = kNormal95 * kNormal95;
  const double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kNormal95 / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  return {.low = hits == 0 ? 0 : centre - half, .high = hits == trials ? 1 : centre + half};
}

McNemar mcnemar(std::uint64_t only_first, std::uint64_t only_second) {
  const std::uint64_t n = only_first + only_second;
  if (n < kFew) return {.p_value = std::min(1.0, 2 * binomial_tail(std::min(only_first, only_second), n)), .exact = true};
  const double apart = std::max(0.0, std::abs(static_cast<double>(only_first) - static_cast<double>(only_second)) - 1);
  // With one degree of freedom, P(chi-squared > x) = erfc(sqrt(x / 2)).
  return {.p_value = std::erfc(apart / std::sqrt(2 * static_cast<double>(n))), .exact = false};
}

}  // namespace alexnet
