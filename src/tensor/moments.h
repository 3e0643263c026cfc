// Mean and variance, numerically stable: never the mean of the squares minus the square of the mean.
#pragma once

#include <cstdint>
#include <span>

namespace alexnet {

struct Moments {
  std::int64_t count = 0;
  double mean = 0;
  double squares = 0;  // sum of the squared deviations from the mean

  // Of the population; 0 for no values.
  double variance() const { return count == 0 ? 0 : squares / static_cast<double>(count); }
  // The estimate from a sample, whose divisor is count - 1; 0 for fewer than two values.
  double sample_variance() const { return count < 2 ? 0 : squares / static_cast<double>(count - 1); }
};

// Of these values, in two passes.
Moments moments(std::span<const float> values);

// Of two disjoint sets together (Chan, Golub and LeVeque 1979). The order of merging is seen in the last bits.
Moments merged(const Moments& a, const Moments& b);

}  // namespace alexnet
