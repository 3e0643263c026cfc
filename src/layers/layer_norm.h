#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = scale * (x - mean) / sqrt(variance + epsilon) + offset with the mean and population variance over `axis` and all axes
// behind it, of which each index in front has its own (Ba et al. 2016). Axes are counted with the batch as 0. The parameters
// have the shape of the axes that are averaged over, and may be absent.
struct LayerNorm {
  static constexpr std::string_view kKind = "layer_norm";

  std::int64_t axis = 1;
  double epsilon = 1e-5;
  bool scale = true;
  bool offset = true;

  static void fields(auto& self, auto&& visit) {
    visit("axis", self.axis);
    visit("epsilon", self.epsilon);
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
  friend bool operator==(const LayerNorm&, const LayerNorm&) = default;
};

Shape output_shape(const LayerNorm& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const LayerNorm& layer, std::span<const Shape> inputs);
Tensor reference(const LayerNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
