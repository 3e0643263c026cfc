#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// x - weighted mean of (N, C, H, W), over the neighbourhood that LocalContrastNorm has.
struct LocalMeanSubtraction {
  static constexpr std::string_view kKind = "local_mean_subtraction";

  std::int64_t local_size = 9;
  double sigma = 2;
  bool across_channels = false;

  static void fields(auto& self, auto&& visit) {
    visit("local_size", self.local_size);
    visit("sigma", self.sigma);
    visit("across_channels", self.across_channels);
  }
  friend bool operator==(const LocalMeanSubtraction&, const LocalMeanSubtraction&) = default;
};

Shape output_shape(const LocalMeanSubtraction& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const LocalMeanSubtraction& layer, std::span<const Shape> inputs);
Tensor reference(const LocalMeanSubtraction& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
