#include "layers/moving_average_batch_norm.h"

#include <cmath>

#include "layers/affine.h"
#include "layers/window.h"

namespace alexnet {

Shape output_shape(const MovingAverageBatchNorm& layer, std::span<const Shape> inputs) {
  require_channels(inputs[0]);
  require_epsilon(layer.epsilon);
  return inputs[0];
}

std::vector<Parameter> parameters(const MovingAverageBatchNorm& layer, std::span<const Shape> inputs) {
  const Shape channels{inputs[0][1]};
  std::vector<Parameter> result{{"moment", channels}};
  for (const auto& parameter : affine_parameters(layer.scale, layer.offset, channels)) result.push_back(parameter);
  return result;
}

Tensor reference(const MovingAverageBatchNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const Shape shape = inputs[0].shape();
  const auto x = inputs[0].values<float>();
  const auto moment = parameters[0].values<float>();
  const Affine affine(layer.scale, layer.offset, parameters);
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto pixels = x.size() / (static_cast<std::size_t>(shape[0]) * channels);
  Tensor result = Tensor::zeros(shape);
  const auto y = result.mutable_values<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto c = i / pixels % channels;
    y[i] = static_cast<float>(affine(static_cast<double>(x[i]) / std::sqrt(static_cast<double>(moment[c]) + layer.epsilon), c));
  }
  return result;
}

}  // namespace alexnet
