#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// Local contrast normalisation of (N, C, H, W) (Jarrett et al. 2009, section 2): v = x - weighted mean,
// y = v / max(sigma, mean of sigma over the map, epsilon), sigma = sqrt(weighted mean of v * v). The weights are a Gaussian of
// standard deviation `sigma` over a square of local_size x local_size pixels in the same channel, or in all channels alike;
// at borders they go to the neighbours that are there.
struct LocalContrastNorm {
  static constexpr std::string_view kKind = "local_contrast_norm";

  std::int64_t local_size = 9;
  double sigma = 2;
  bool across_channels = false;
  double epsilon = 1e-4;

  static void fields(auto& self, auto&& visit) {
    visit("local_size", self.local_size);
    visit("sigma", self.sigma);
    visit("across_channels", self.across_channels);
    visit("epsilon", self.epsilon);
  }
  friend bool operator==(const LocalContrastNorm&, const LocalContrastNorm&) = default;
};

Shape output_shape(const LocalContrastNorm& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const LocalContrastNorm& layer, std::span<const Shape> inputs);
Tensor reference(const LocalContrastNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
