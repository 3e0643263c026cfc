#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "layers/window.h"
#include "tensor/tensor.h"

namespace alexnet {

// Cross-correlation of (N, C, H, W) with `weight` (out_channels, C / groups, kernel height, kernel width), plus `bias`
// (out_channels). Group g sees the input channels [g, g+1) * C / groups and makes the output channels of the same share.
struct Convolution {
  static constexpr std::string_view kKind = "convolution";

  std::int64_t out_channels = 0;
  Extent2 kernel{};
  Extent2 stride{1, 1};
  Padding4 padding{};
  Extent2 dilation{1, 1};
  std::int64_t groups = 1;
  bool bias = true;

  static void fields(auto& self, auto&& visit) {
    visit("out_channels", self.out_channels);
    visit("kernel", self.kernel);
    visit("stride", self.stride);
    visit("padding", self.padding);
    visit("dilation", self.dilation);
    visit("groups", self.groups);
    visit("bias", self.bias);
  }
  friend bool operator==(const Convolution&, const Convolution&) = default;
};

Shape output_shape(const Convolution& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Convolution& layer, std::span<const Shape> inputs);
Tensor reference(const Convolution& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
