#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = max(x, 0), elementwise on any shape. NaN stays NaN, as in the frameworks.
struct Relu {
  static constexpr std::string_view kKind = "relu";

  static void fields(auto&, auto&&) {}
  friend bool operator==(const Relu&, const Relu&) = default;
};

Shape output_shape(const Relu& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Relu& layer, std::span<const Shape> inputs);
Tensor reference(const Relu& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
