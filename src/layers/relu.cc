#include "layers/relu.h"

#include <algorithm>

namespace alexnet {

Shape output_shape(const Relu&, std::span<const Shape> inputs) { return inputs[0]; }

std::vector<Parameter> parameters(const Relu&, std::span<const Shape>) { return {}; }

Tensor reference(const Relu&, std::span<const Tensor> inputs, std::span<const Tensor>) {
  Tensor result = Tensor::zeros(inputs[0].shape());
  std::ranges::transform(inputs[0].values<float>(), result.mutable_values<float>().begin(),
                         [](float x) { return x < 0 ? 0.0f : x; });
  return result;
}

}  // namespace alexnet
