#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = x * weight^T + bias for x (N, in), weight (out_features, in), bias (out_features).
struct Linear {
  static constexpr std::string_view kKind = "linear";

  std::int64_t out_features = 0;
  bool bias = true;

  static void fields(auto& self, auto&& visit) {
    visit("out_features", self.out_features);
    visit("bias", self.bias);
  }
  friend bool operator==(const Linear&, const Linear&) = default;
};

Shape output_shape(const Linear& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Linear& layer, std::span<const Shape> inputs);
Tensor reference(const Linear& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
