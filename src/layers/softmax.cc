#include "layers/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "layers/axes.h"

namespace alexnet {

Shape output_shape(const Softmax& layer, std::span<const Shape> inputs) {
  require_axis(inputs[0], layer.axis);
  return inputs[0];
}

std::vector<Parameter> parameters(const Softmax&, std::span<const Shape>) { return {}; }

Tensor reference(const Softmax& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape shape = inputs[0].shape();
  const auto axis = static_cast<std::size_t>(layer.axis);
  const auto outer = Shape(shape.extents().first(axis)).elements();
  const auto length = shape[axis];
  const auto inner = Shape(shape.extents().subspan(axis + 1)).elements();
  const auto x = inputs[0].values<float>();
  Tensor result = Tensor::zeros(shape);
  const auto y = result.mutable_values<float>();
  for (std::int64_t i = 0; i < outer; ++i) {
    for (std::int64_t j = 0; j < inner; ++j) {
      const auto at = [&](std::int64_t step) { return static_cast<std::size_t>((i * length + step) * inner + j); };
      float largest = -std::numeric_limits<float>::infinity();
      for (std::int64_t step = 0; step < length; ++step) largest = std::max(largest, x[at(step)]);
      const auto power = [&](std::int64_t step) {
        return std::exp(static_cast<double>(x[at(step)]) - static_cast<double>(largest));
      };
      double sum = 0;
      for (std::int64_t step = 0; step < length; ++step) sum += power(step);
      for (std::int64_t step = 0; step < length; ++step) y[at(step)] = static_cast<float>(power(step) / sum);
    }
  }
  return result;
}

}  // namespace alexnet
