#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = scale * (x - mean) / sqrt(variance + epsilon) + offset with the mean and population variance of each map (n, c) of
// (N, C, ...) itself (Ulyanov et al. 2016). The parameters are (C) each and may be absent. With stored statistics it is a
// BatchNorm.
struct InstanceNorm {
  static constexpr std::string_view kKind = "instance_norm";

  double epsilon = 1e-5;
  bool scale = true;
  bool offset = true;

  static void fields(auto& self, auto&& visit) {
    visit("epsilon", self.epsilon);
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
  friend bool operator==(const InstanceNorm&, const InstanceNorm&) = default;
};

Shape output_shape(const InstanceNorm& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const InstanceNorm& layer, std::span<const Shape> inputs);
Tensor reference(const InstanceNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
