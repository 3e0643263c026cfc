#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// The matrix product of two inputs (N, ..., M, K) and (N, ..., K, P): (N, ..., M, P). Along the axes in front of the last two they
// have the same extent or 1.
struct MatMul {
  static constexpr std::string_view kKind = "matmul";
  static constexpr InputCount kInputs{2, 2};

  static void fields(auto&, auto&&) {}
  friend bool operator==(const MatMul&, const MatMul&) = default;
};

Shape output_shape(const MatMul& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const MatMul& layer, std::span<const Shape> inputs);
Tensor reference(const MatMul& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
