#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = scale * (x - mean) / sqrt(variance + epsilon) + offset per channel of (N, C, ...), with stored statistics (Ioffe and
// Szegedy 2015). The parameters are (C) each; `scale` and `offset` may be absent.
struct BatchNorm {
  static constexpr std::string_view kKind = "batch_norm";

  double epsilon = 1e-5;
  bool scale = true;
  bool offset = true;

  static void fields(auto& self, auto&& visit) {
    visit("epsilon", self.epsilon);
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
  friend bool operator==(const BatchNorm&, const BatchNorm&) = default;
};

Shape output_shape(const BatchNorm& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const BatchNorm& layer, std::span<const Shape> inputs);
Tensor reference(const BatchNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
