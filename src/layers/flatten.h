#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// (N, C, H, W) to (N, C * H * W) in that order; any rank from 2.
struct Flatten {
  static constexpr std::string_view kKind = "flatten";

  static void fields(auto&, auto&&) {}
  friend bool operator==(const Flatten&, const Flatten&) = default;
};

Shape output_shape(const Flatten& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Flatten& layer, std::span<const Shape> inputs);
Tensor reference(const Flatten& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
