#pragma once

#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = x, but not below `lowest` and not above `highest`, elementwise on any shape; `highest` wins if they cross. NaN stays NaN.
struct Clip {
  static constexpr std::string_view kKind = "clip";

  double lowest = -std::numeric_limits<float>::max();
  double highest = std::numeric_limits<float>::max();

  static void fields(auto& self, auto&& visit) {
    visit("lowest", self.lowest);
    visit("highest", self.highest);
  }
  friend bool operator==(const Clip&, const Clip&) = default;
};

Shape output_shape(const Clip& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Clip& layer, std::span<const Shape> inputs);
Tensor reference(const Clip& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
