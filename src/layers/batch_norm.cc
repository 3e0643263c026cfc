#include "layers/batch_norm.h"

#include <cmath>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "layers/window.h"

namespace alexnet {

Shape output_shape(const BatchNorm& layer, std::span<const Shape> inputs) {
  require_channels(inputs[0]);
  if (layer.epsilon < 0) {
    throw Error(ErrorKind::model, "", fmt::format("epsilon is {}, must not be negative", shortest(layer.epsilon)));
  }
  return inputs[0];
}

std::vector<Parameter> parameters(const BatchNorm& layer, std::span<const Shape> inputs) {
  const Shape channels{inputs[0][1]};
  std::vector<Parameter> result{{"mean", channels}, {"variance", channels}};
  if (layer.scale) result.push_back({"scale", channels});
  if (layer.offset) result.push_back({"offset", channels});
  return result;
}

Tensor reference(const BatchNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const Shape shape = inputs[0].shape();
  const auto x = inputs[0].values<float>();
  const auto parameter = [&](std::size_t index, std::size_t channel) {
    return static_cast<double>(parameters[index].values<float>()[channel]);
  };
  const std::size_t offset_index = layer.scale ? 3 : 2;
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto pixels = x.size() / static_cast<std::size_t>(shape[0] * shape[1]);
  Tensor result = Tensor::zeros(shape);
  const auto y = result.mutable_values<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto c = i / pixels % channels;
    const double scale = layer.scale ? parameter(2, c) : 1.0;
    const double offset = layer.offset ? parameter(offset_index, c) : 0.0;
    y[i] = static_cast<float>(scale * (static_cast<double>(x[i]) - parameter(0, c)) / std::sqrt(parameter(1, c) + layer.epsilon) +
                              offset);
  }
  return result;
}

}  // namespace alexnet
