#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = factor * x, elementwise on any shape: how networks whose dropout did not scale in training make up for it.
struct Scale {
  static constexpr std::string_view kKind = "scale";

  double factor = 1;

  static void fields(auto& self, auto&& visit) { visit("factor", self.factor); }
  friend bool operator==(const Scale&, const Scale&) = default;
};

Shape output_shape(const Scale& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Scale& layer, std::span<const Shape> inputs);
Tensor reference(const Scale& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
