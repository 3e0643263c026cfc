#include "layers/scale.h"

#include <algorithm>

namespace alexnet {

Shape output_shape(const Scale&, std::span<const Shape> inputs) { return inputs[0]; }

std::vector<Parameter> parameters(const Scale&, std::span<const Shape>) { return {}; }

Tensor reference(const Scale& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  Tensor result = Tensor::zeros(inputs[0].shape());
  std::ranges::transform(inputs[0].values<float>(), result.mutable_values<float>().begin(),
                         [&](float x) { return static_cast<float>(layer.factor * static_cast<double>(x)); });
  return result;
}

}  // namespace alexnet
