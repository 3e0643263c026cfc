#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = scale * x / sqrt(moment + epsilon) + offset per channel of (N, C, ...), with a stored second moment and no mean (Yan et al.
// 2020: MABN), behind a convolution whose weights are centred. The parameters are (C) each; `scale` and `offset` may be absent.
struct MovingAverageBatchNorm {
  static constexpr std::string_view kKind = "moving_average_batch_norm";

  double epsilon = 1e-5;
  bool scale = true;
  bool offset = true;

  static void fields(auto& self, auto&& visit) {
    visit("epsilon", self.epsilon);
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
  friend bool operator==(const MovingAverageBatchNorm&, const MovingAverageBatchNorm&) = default;
};

Shape output_shape(const MovingAverageBatchNorm& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const MovingAverageBatchNorm& layer, std::span<const Shape> inputs);
Tensor reference(const MovingAverageBatchNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
