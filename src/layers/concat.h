#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// The inputs one after the other along `axis`, counted with the batch axis as 0; along the others they have the same extents.
struct Concat {
  static constexpr std::string_view kKind = "concat";
  static constexpr InputCount kInputs{1, 64};

  std::int64_t axis = 1;

  static void fields(auto& self, auto&& visit) { visit("axis", self.axis); }
  friend bool operator==(const Concat&, const Concat&) = default;
};

Shape output_shape(const Concat& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Concat& layer, std::span<const Shape> inputs);
Tensor reference(const Concat& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
