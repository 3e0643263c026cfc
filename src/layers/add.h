#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// The sum of the inputs, element by element. An input of extent 1 along an axis serves all of that axis.
struct Add {
  static constexpr std::string_view kKind = "add";
  static constexpr InputCount kInputs{2, 64};

  static void fields(auto&, auto&&) {}
  friend bool operator==(const Add&, const Add&) = default;
};

Shape output_shape(const Add& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Add& layer, std::span<const Shape> inputs);
Tensor reference(const Add& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
