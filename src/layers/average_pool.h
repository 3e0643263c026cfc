#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "layers/window.h"
#include "tensor/tensor.h"

namespace alexnet {

// Mean of each window of (N, C, H, W). The divisor is the number of the window's taps inside the input, or with
// count_padding inside the padded input; what hangs over the end (Rounding::ceil) never counts.
struct AveragePool {
  static constexpr std::string_view kKind = "average_pool";

  Extent2 kernel{};
  Extent2 stride{1, 1};
  Padding4 padding{};
  Extent2 dilation{1, 1};
  Rounding rounding = Rounding::floor;
  bool count_padding = false;

  static void fields(auto& self, auto&& visit) {
    visit("kernel", self.kernel);
    visit("stride", self.stride);
    visit("padding", self.padding);
    visit("dilation", self.dilation);
    visit("rounding", self.rounding);
    visit("count_padding", self.count_padding);
  }
  friend bool operator==(const AveragePool&, const AveragePool&) = default;
};

Shape output_shape(const AveragePool& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const AveragePool& layer, std::span<const Shape> inputs);
Tensor reference(const AveragePool& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
