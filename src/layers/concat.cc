#include "layers/concat.h"

#include <algorithm>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "layers/axes.h"

namespace alexnet {

Shape output_shape(const Concat& layer, std::span<const Shape> inputs) {
  Shape result = inputs[0];
  require_axis(result, layer.axis);
  const auto axis = static_cast<std::size_t>(layer.axis);
  for (const auto& input : inputs.subspan(1)) {
    Shape alike = input;
    if (input.rank() == result.rank()) alike[axis] = result[axis];
    if (alike != result) {
      throw Error(ErrorKind::model, "",
                  fmt::format("wants inputs that differ along axis {} only, found {} and {}", axis, to_string(inputs[0]),
                              to_string(input)));
    }
    result[axis] += input[axis];
  }
  return result;
}

std::vector<Parameter> parameters(const Concat&, std::span<const Shape>) { return {}; }

Tensor reference(const Concat& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  std::vector<Shape> shapes;
  for (const auto& input : inputs) shapes.push_back(input.shape());
  Tensor result = Tensor::zeros(output_shape(layer, shapes));
  const auto axis = static_cast<std::size_t>(layer.axis);
  const auto outer = Shape(result.shape().extents().first(axis)).elements();
  auto y = result.mutable_values<float>().begin();
  for (std::int64_t i = 0; i < outer; ++i) {
    for (const auto& input : inputs) {
      const auto length = static_cast<std::size_t>(input.shape().elements() / outer);
      y = std::ranges::copy(input.values<float>().subspan(static_cast<std::size_t>(i) * length, length), y).out;
    }
  }
  return result;
}

}  // namespace alexnet
