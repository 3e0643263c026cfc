#include "layers/batch_statistics_norm.h"

#include <cmath>

#include "layers/affine.h"
#include "layers/window.h"
#include "tensor/moments.h"

namespace alexnet {

Shape output_shape(const BatchStatisticsNorm& layer, std::span<const Shape> inputs) {
  require_channels(inputs[0]);
  require_epsilon(layer.epsilon);
  return inputs[0];
}

std::vector<Parameter> parameters(const BatchStatisticsNorm& layer, std::span<const Shape> inputs) {
  return affine_parameters(layer.scale, layer.offset, {inputs[0][1]});
}

Tensor reference(const BatchStatisticsNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const Shape shape = inputs[0].shape();
  const auto x = inputs[0].values<float>();
  const Affine affine(layer.scale, layer.offset, parameters);
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto pixels = x.size() / (static_cast<std::size_t>(shape[0]) * channels);
  std::vector<Moments> of_channels(channels);
  for (std::size_t map = 0; map * pixels < x.size(); ++map) {
    auto& channel = of_channels[map % channels];
    channel = merged(channel, moments(x.subspan(map * pixels, pixels)));
  }
  Tensor result = Tensor::zeros(shape);
  const auto y = result.mutable_values<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto c = i / pixels % channels;
    const double deviation = std::sqrt(of_channels[c].variance() + layer.epsilon);
    y[i] = static_cast<float>(affine((static_cast<double>(x[i]) - of_channels[c].mean) / deviation, c));
  }
  return result;
}

}  // namespace alexnet
