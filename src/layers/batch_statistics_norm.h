#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// Batch normalisation without stored statistics: y = scale * (x - mean) / sqrt(variance + epsilon) + offset with the mean and
// population variance of each channel of (N, C, ...) over the whole batch (PyTorch's track_running_stats=False). What a sample
// gets depends on the others. The parameters are (C) each and may be absent.
struct BatchStatisticsNorm {
  static constexpr std::string_view kKind = "batch_statistics_norm";

  double epsilon = 1e-5;
  bool scale = true;
  bool offset = true;

  bool couples_batch() const { return true; }

  static void fields(auto& self, auto&& visit) {
    visit("epsilon", self.epsilon);
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
  friend bool operator==(const BatchStatisticsNorm&, const BatchStatisticsNorm&) = default;
};

Shape output_shape(const BatchStatisticsNorm& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const BatchStatisticsNorm& layer, std::span<const Shape> inputs);
Tensor reference(const BatchStatisticsNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
