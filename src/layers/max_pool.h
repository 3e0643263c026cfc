#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "layers/window.h"
#include "tensor/tensor.h"

namespace alexnet {

// Largest value of each window of (N, C, H, W); padding never wins. NaN in a window gives NaN.
struct MaxPool {
  static constexpr std::string_view kKind = "max_pool";

  Extent2 kernel{};
  Extent2 stride{1, 1};
  Padding4 padding{};
  Extent2 dilation{1, 1};
  Rounding rounding = Rounding::floor;

  static void fields(auto& self, auto&& visit) {
    visit("kernel", self.kernel);
    visit("stride", self.stride);
    visit("padding", self.padding);
    visit("dilation", self.dilation);
    visit("rounding", self.rounding);
  }
  friend bool operator==(const MaxPool&, const MaxPool&) = default;
};

Shape output_shape(const MaxPool& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const MaxPool& layer, std::span<const Shape> inputs);
Tensor reference(const MaxPool& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
