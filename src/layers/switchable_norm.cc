#include "layers/switchable_norm.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "layers/affine.h"
#include "layers/window.h"
#include "tensor/moments.h"

namespace alexnet {
namespace {

struct MeanVariance {
  double mean = 0;
  double variance = 0;
};

std::vector<double> softmax(std::span<const float> weights) {
  std::vector<double> result(weights.begin(), weights.end());
  const double largest = *std::ranges::max_element(result);
  double sum = 0;
  for (double& value : result) sum += value = std::exp(value - largest);
  for (double& value : result) value /= sum;
  return result;
}

// Of several maps together: the mean of their variances and the variance of their means.
MeanVariance pooled(std::span<const MeanVariance> maps, std::size_t begin, std::size_t step, std::size_t count) {
  MeanVariance result;
  const auto n = static_cast<double>(count);
  const auto each = [&](auto&& visit) {
    for (std::size_t i = 0; i < count; ++i) visit(maps[begin + i * step]);
  };
  each([&](const MeanVariance& map) { result.mean += map.mean / n; });
  each([&](const MeanVariance& map) {
    const double apart = map.mean - result.mean;
    result.variance += (map.variance + apart * apart) / n;
  });
  return result;
}

}  // namespace

Shape output_shape(const SwitchableNorm& layer, std::span<const Shape> inputs) {
  if (inputs[0].rank() < 3) {
    throw Error(ErrorKind::model, "", fmt::format("wants an input of maps, NxCx..., found {}", to_string(inputs[0])));
  }
  require_epsilon(layer.epsilon);
  return inputs[0];
}

std::vector<Parameter> parameters(const SwitchableNorm& layer, std::span<const Shape> inputs) {
  const Shape channels{inputs[0][1]};
  const Shape parts{layer.batch_part == BatchPart::none ? 2 : 3};
  std::vector<Parameter> result{{"mean_weight", parts}, {"variance_weight", parts}};
  if (layer.batch_part == BatchPart::stored) {
    result.push_back({"mean", channels});
    result.push_back({"variance", channels});
  }
  for (const auto& parameter : affine_parameters(layer.scale, layer.offset, channels)) result.push_back(parameter);
  return result;
}

Tensor reference(const SwitchableNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const Shape shape = inputs[0].shape();
  const auto x = inputs[0].values<float>();
  const auto mean_weights = softmax(parameters[0].values<float>());
  const auto variance_weights = softmax(parameters[1].values<float>());
  const Affine affine(layer.scale, layer.offset, parameters);
  const auto samples = static_cast<std::size_t>(shape[0]);
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto pixels = x.size() / (samples * channels);
  std::vector<MeanVariance> maps;
  for (std::size_t map = 0; map < samples * channels; ++map) {
    const auto own = moments(x.subspan(map * pixels, pixels));
    maps.push_back({own.mean, own.sample_variance()});
  }
  const auto of_channel = [&](std::size_t c) -> MeanVariance {
    if (layer.batch_part == BatchPart::of_batch) return pooled(maps, c, channels, samples);
    return {static_cast<double>(parameters[2].values<float>()[c]), static_cast<double>(parameters[3].values<float>()[c])};
  };
  Tensor result = Tensor::zeros(shape);
  const auto y = result.mutable_values<float>();
  for (std::size_t map = 0; map < maps.size(); ++map) {
    const auto c = map % channels;
    const auto sample = pooled(maps, map - c, 1, channels);
    double mean = mean_weights[0] * maps[map].mean + mean_weights[1] * sample.mean;
    double variance = variance_weights[0] * maps[map].variance + variance_weights[1] * sample.variance;
    if (layer.batch_part != BatchPart::none) {
      const auto channel = of_channel(c);
      mean += mean_weights[2] * channel.mean;
      variance += variance_weights[2] * channel.variance;
    }
    const double deviation = std::sqrt(variance + layer.epsilon);
    for (std::size_t i = map * pixels; i < (map + 1) * pixels; ++i) {
      y[i] = static_cast<float>(affine((static_cast<double>(x[i]) - mean) / deviation, c));
    }
  }
  return result;
}

}  // namespace alexnet
