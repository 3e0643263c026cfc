#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = scale * x + offset per channel of (N, C, ...). The parameters are (C) each; either may be absent.
struct ScaleShift {
  static constexpr std::string_view kKind = "scale_shift";

  bool scale = true;
  bool offset = true;

  static void fields(auto& self, auto&& visit) {
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
  friend bool operator==(const ScaleShift&, const ScaleShift&) = default;
};

Shape output_shape(const ScaleShift& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const ScaleShift& layer, std::span<const Shape> inputs);
Tensor reference(const ScaleShift& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
