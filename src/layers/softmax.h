#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// exp(x - max) / sum of exp(x - max) along `axis`, counted with the batch axis as 0.
struct Softmax {
  static constexpr std::string_view kKind = "softmax";

  std::int64_t axis = 1;

  static void fields(auto& self, auto&& visit) { visit("axis", self.axis); }
  friend bool operator==(const Softmax&, const Softmax&) = default;
};

Shape output_shape(const Softmax& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Softmax& layer, std::span<const Shape> inputs);
Tensor reference(const Softmax& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
