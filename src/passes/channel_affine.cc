#include "passes/channel_affine.h"

#include <algorithm>
#include <cmath>

namespace alexnet {
namespace {

std::vector<double> doubles(const Weight& weight) {
  const Tensor wide = widened(weight);
  const auto values = wide.values<float>();
  return {values.begin(), values.end()};
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

std::optional<Tensor> narrowed(const Shape& shape, std::span<const double> values) {
  Tensor result = Tensor::zeros(shape);
  std::ranges::transform(values, result.mutable_values<float>().begin(), [](double value) { return static_cast<float>(value); });
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::ranges::all_of(result.values<float>(), finite)) return std::nullopt;
  return result;
}

bool is_int8(const Weight& weight) { return weight.storage == Storage::int8 || weight.storage == Storage::int8_sparse; }

std::optional<ChannelAffine> affine_of(const BatchNorm& layer, const std::string& name, const Weights& weights) {
  const auto parameter = [&](const char* which) { return doubles(weights.at(name + "." + which)); };
  const auto mean = parameter("mean");
  const auto variance = parameter("variance");
  ChannelAffine affine{std::vector<double>(mean.size(), 1), std::vector<double>(mean.size(), 0)};
  if (layer.scale) affine.scale = parameter("scale");
  if (layer.offset) affine.shift = parameter("offset");
  for (std::size_t c = 0; c < mean.size(); ++c) {
    affine.scale[c] /= std::sqrt(variance[c] + layer.epsilon);
    affine.shift[c] -= mean[c] * affine.scale[c];
  }
  return affine;
}

std::optional<Weight> with_scaled_rows(const Weight& weight, std::span<const double> factors) {
  // The rows of f32, or the row scales of int8.
  Weight result = is_int8(weight) ? weight : Weight::of(widened(weight));
  Tensor& target = is_int8(weight) ? result.scale : result.data;
  auto values =
      is_int8(weight) ? std::vector<double>(target.values<float>().begin(), target.values<float>().end()) : doubles(weight);
  const auto per_row = values.size() / factors.size();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= factors[i / per_row];
  auto scaled = narrowed(target.shape(), values);
  if (!scaled) return std::nullopt;
  target = std::move(*scaled);
  return result;
}

std::vector<double> bias_of(const LinearWeights& weights) {
  if (weights.bias) return doubles(*weights.bias);
  return std::vector<double>(static_cast<std::size_t>(weights.weight.shape[0]), 0);
}

std::optional<LinearWeights> assembled(std::optional<Weight> weight, std::span<const double> bias) {
  const auto narrow = narrowed({static_cast<std::int64_t>(bias.size())}, bias);
  if (!weight || !narrow) return std::nullopt;
  return LinearWeights{std::move(*weight), Weight::of(*narrow)};
}

}  // namespace

std::optional<ChannelAffine> channel_affine(const Node& node, const Weights& weights) {
  std::optional<ChannelAffine> affine;
  if (const auto* layer = std::get_if<BatchNorm>(&node.layer)) affine = affine_of(*layer, node.name, weights);
  if (affine && all_finite(affine->scale) && all_finite(affine->shift)) return affine;
  return std::nullopt;
}

std::optional<LinearWeights> followed_by(const LinearWeights& weights, const ChannelAffine& affine) {
  auto bias = bias_of(weights);
  for (std::size_t o = 0; o < bias.size(); ++o) bias[o] = bias[o] * affine.scale[o] + affine.shift[o];
  return assembled(with_scaled_rows(weights.weight, affine.scale), bias);
}

std::optional<LinearWeights> preceded_by(const LinearWeights& weights, const ChannelAffine& affine, std::int64_t groups) {
  if (is_int8(weights.weight)) return std::nullopt;
  const Shape shape = weights.weight.shape;
  auto values = doubles(weights.weight);
  auto bias = bias_of(weights);
  const auto outputs = static_cast<std::size_t>(shape[0]);
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto taps = values.size() / (outputs * channels);
  const auto outputs_per_group = outputs / static_cast<std::size_t>(groups);
  auto value = values.begin();
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t c = 0; c < channels; ++c) {
      const auto channel = o / outputs_per_group * channels + c;
      for (std::size_t tap = 0; tap < taps; ++tap, ++value) {
        bias[o] += *value * affine.shift[channel];
        *value *= affine.scale[channel];
      }
    }
  }
  const auto narrow = narrowed(shape, values);
  if (!narrow) return std::nullopt;
  return assembled(Weight::of(*narrow), bias);
}

}  // namespace alexnet
