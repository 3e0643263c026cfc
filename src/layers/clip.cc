#include "layers/clip.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {

Shape output_shape(const Clip& layer, std::span<const Shape> inputs) {
  if (std::isnan(layer.lowest) || std::isnan(layer.highest)) throw Error(ErrorKind::model, "", "a bound is not a number");
  return inputs[0];
}

std::vector<Parameter> parameters(const Clip&, std::span<const Shape>) { return {}; }

Tensor reference(const Clip& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const auto lowest = static_cast<float>(layer.lowest);
  const auto highest = static_cast<float>(layer.highest);
  Tensor result = Tensor::zeros(inputs[0].shape());
  std::ranges::transform(inputs[0].values<float>(), result.mutable_values<float>().begin(), [&](float x) {
    const float raised = x < lowest ? lowest : x;
    return raised > highest ? highest : raised;
  });
  return result;
}

}  // namespace alexnet
