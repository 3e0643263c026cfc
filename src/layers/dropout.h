#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// The identity: inference never drops. Kept in the graph so that a checkpoint's layers can be named; `ratio` is what
// training dropped.
struct Dropout {
  static constexpr std::string_view kKind = "dropout";

  double ratio = 0.5;

  static void fields(auto& self, auto&& visit) { visit("ratio", self.ratio); }
  friend bool operator==(const Dropout&, const Dropout&) = default;
};

Shape output_shape(const Dropout& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Dropout& layer, std::span<const Shape> inputs);
Tensor reference(const Dropout& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
