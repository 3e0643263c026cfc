// From scores to answers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace alexnet {

struct ScoredClass {
  std::int64_t index = 0;
  double probability = 0;
};

// p_i = exp(x_i - max x) / sum_j exp(x_j - max x), in double. NaN anywhere gives NaN everywhere.
std::vector<double> softmax(std::span<const float> logits);

// The k most probable classes, most probable first; among equals, the lower index first; NaN last.
std::vector<ScoredClass> top(std::span<const double> probabilities, std::size_t k);

}  // namespace alexnet
