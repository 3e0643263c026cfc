#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// Axis i + 1 of the output is axis permutation[i] of the input, counted with the batch axis as 0, which stays: {2, 3, 1} makes
// (N, H, W, C) of (N, C, H, W).
struct Transpose {
  static constexpr std::string_view kKind = "transpose";

  std::vector<std::int64_t> permutation;

  static void fields(auto& self, auto&& visit) { visit("permutation", self.permutation); }
  friend bool operator==(const Transpose&, const Transpose&) = default;
};

Shape output_shape(const Transpose& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Transpose& layer, std::span<const Shape> inputs);
Tensor reference(const Transpose& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
