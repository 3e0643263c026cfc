#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// The same elements in the same order under another shape; `shape` is that of one sample, without the batch.
struct Reshape {
  static constexpr std::string_view kKind = "reshape";

  std::vector<std::int64_t> shape;

  static void fields(auto& self, auto&& visit) { visit("shape", self.shape); }
  friend bool operator==(const Reshape&, const Reshape&) = default;
};

Shape output_shape(const Reshape& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Reshape& layer, std::span<const Shape> inputs);
Tensor reference(const Reshape& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
