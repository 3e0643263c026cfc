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

// The scale and offset that a layer has, or those that change nothing.
ChannelAffine learned(const auto& layer, const std::string& name, const Weights& weights, std::size_t channels) {
  return {layer.scale ? doubles(weights.at(name + ".scale")) : std::vector<double>(channels, 1),
          layer.offset ? doubles(weights.at(name + ".offset")) : std::vector<double>(channels, 0)};
}

std::optional<ChannelAffine> affine_of(const BatchNorm& layer, const std::string& name, const Weights& weights) {
  const auto parameter = [&](const char* which) { return doubles(weights.at(name + "." + which)); };
  const auto mean = parameter("mean");
  const auto variance = parameter("variance");
  ChannelAffine affine = learned(layer, name, weights, mean.size());
  for (std::size_t c = 0; c < mean.size(); ++c) {
    affine.scale[c] /= std::sqrt(variance[c] + layer.epsilon);
    affine.shift[c] -= mean[c] * affine.scale[c];
  }
  return affine;
}

std::optional<ChannelAffine> affine_of(const MovingAverageBatchNorm& layer, const std::string& name, const Weights& weights) {
  const auto moment = doubles(weights.at(name + ".moment"));
  ChannelAffine affine = learned(layer, name, weights, moment.size());
  for (std::size_t c = 0; c < moment.size(); ++c) affine.scale[c] /= std::sqrt(moment[c] + layer.epsilon);
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

std::optional<ChannelAffine> channel_affine(const Node& node, const Weights& weights, std::size_t channels) {
  std::optional<ChannelAffine> affine;
  if (const auto* layer = std::get_if<BatchNorm>(&node.layer)) affine = affine_of(*layer, node.name, weights);
  if (const auto* layer = std::get_if<MovingAverageBatchNorm>(&node.layer)) affine = affine_of(*layer, node.name, weights);
  if (const auto* layer = std::get_if<ScaleShift>(&node.layer)) affine = learned(*layer, node.name, weights, channels);
  if (const auto* layer = std::get_if<Scale>(&node.layer)) {
    affine = ChannelAffine{std::vector<double>(channels, layer->factor), std::vector<double>(channels, 0)};
  }
  if (affine && all_finite(affine->scale) && all_finite(affine->shift)) return affine;
  return std::nullopt;
}

ChannelAffine in_turn(const ChannelAffine& first, const ChannelAffine& then) {
  ChannelAffine both = first;
  for (std::size_t c = 0; c < both.scale.size(); ++c) {
    both.scale[c] *= then.scale[c];
    both.shift[c] = both.shift[c] * then.scale[c] + then.shift[c];
  }
  return both;
}

std::optional<StoredAffine> stored(const ChannelAffine& affine) {
  const Shape channels{static_cast<std::int64_t>(affine.scale.size())};
  const auto scale = narrowed(channels, affine.scale);
  const auto shift = narrowed(channels, affine.shift);
  if (!scale || !shift) return std::nullopt;
  return StoredAffine{Weight::of(*scale), Weight::of(*shift)};
}

std::optional<LinearWeights> followed_by(const LinearWeights& weights, const ChannelAffine& affine) {
  auto bias = bias_of(weights);
  for (std::size_t o = 0; o < bias.size(); ++o) bias[o] = bias[o] * affine.scale[o] + affine.shift[o];
  return assembled(with_scaled_rows(weights.weight, affine.scale), bias);
}

std::optional<LinearWeights> preceded_by(const LinearWeights& weights, const ChannelAffine& affine, std::int64_t groups) {
  if (is_int8(weights.weight)) {
    const auto [least, most] = std::ranges::minmax(affine.scale);
    const bool alike = least == most && std::ranges::all_of(affine.shift, [](double shift) { return shift == 0; });
    if (!alike) return std::nullopt;
    const std::vector<double> factors(static_cast<std::size_t>(weights.weight.shape[0]), least);
    return assembled(with_scaled_rows(weights.weight, factors), bias_of(weights));
  }
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
