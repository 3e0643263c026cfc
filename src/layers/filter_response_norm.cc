#include "layers/filter_response_norm.h"

#include <cmath>

#include "layers/affine.h"
#include "layers/window.h"

namespace alexnet {

Shape output_shape(const FilterResponseNorm&, std::span<const Shape> inputs) {
  require_channels(inputs[0]);
  return inputs[0];
}

std::vector<Parameter> parameters(const FilterResponseNorm& layer, std::span<const Shape> inputs) {
  const Shape channels{inputs[0][1]};
  std::vector<Parameter> result;
  if (layer.learned_epsilon) result.push_back({"epsilon", channels});
  if (layer.threshold) result.push_back({"threshold", channels});
  for (const auto& parameter : affine_parameters(layer.scale, layer.offset, channels)) result.push_back(parameter);
  return result;
}

Tensor reference(const FilterResponseNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const Shape shape = inputs[0].shape();
  const auto x = inputs[0].values<float>();
  const Affine affine(layer.scale, layer.offset, parameters);
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto pixels = x.size() / (static_cast<std::size_t>(shape[0]) * channels);
  const auto parameter = [&](std::size_t index, std::size_t channel) {
    return static_cast<double>(parameters[index].values<float>()[channel]);
  };
  Tensor result = Tensor::zeros(shape);
  const auto y = result.mutable_values<float>();
  for (std::size_t map = 0; map * pixels < x.size(); ++map) {
    const auto c = map % channels;
    double squares = 0;
    for (const float value : x.subspan(map * pixels, pixels)) squares += static_cast<double>(value) * static_cast<double>(value);
    const double epsilon = layer.learned_epsilon ? parameter(0, c) : layer.epsilon;
    const double divisor = std::sqrt(squares / static_cast<double>(pixels) + std::fabs(epsilon));
    for (std::size_t i = map * pixels; i < (map + 1) * pixels; ++i) {
      const double value = affine(static_cast<double>(x[i]) / divisor, c);
      const double threshold = layer.threshold ? parameter(layer.learned_epsilon ? 1 : 0, c) : value;
      y[i] = static_cast<float>(value < threshold ? threshold : value);
    }
  }
  return result;
}

}  // namespace alexnet
