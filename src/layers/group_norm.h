#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = scale * (x - mean) / sqrt(variance + epsilon) + offset with the mean and population variance of each group of
// neighbouring channels of each sample of (N, C, ...) (Wu and He 2018). The parameters are (C) each and may be absent.
struct GroupNorm {
  static constexpr std::string_view kKind = "group_norm";

  std::int64_t groups = 1;
  double epsilon = 1e-5;
  bool scale = true;
  bool offset = true;

  static void fields(auto& self, auto&& visit) {
    visit("groups", self.groups);
    visit("epsilon", self.epsilon);
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
  friend bool operator==(const GroupNorm&, const GroupNorm&) = default;
};

Shape output_shape(const GroupNorm& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const GroupNorm& layer, std::span<const Shape> inputs);
Tensor reference(const GroupNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
