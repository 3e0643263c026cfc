#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "layers/window.h"
#include "tensor/tensor.h"

namespace alexnet {

// Mean over windows chosen so that (N, C, H, W) becomes (N, C, output): row i of h covers the input rows
// floor(i * H / h) to ceil((i + 1) * H / h), columns likewise (PyTorch's AdaptiveAvgPool2d).
struct AdaptiveAveragePool {
  static constexpr std::string_view kKind = "adaptive_average_pool";

  Extent2 output{};

  static void fields(auto& self, auto&& visit) { visit("output", self.output); }
  friend bool operator==(const AdaptiveAveragePool&, const AdaptiveAveragePool&) = default;
};

Shape output_shape(const AdaptiveAveragePool& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const AdaptiveAveragePool& layer, std::span<const Shape> inputs);
Tensor reference(const AdaptiveAveragePool& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
