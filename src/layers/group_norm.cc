#include "layers/group_norm.h"

#include <cmath>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "layers/affine.h"
#include "layers/window.h"
#include "tensor/moments.h"

namespace alexnet {

Shape output_shape(const GroupNorm& layer, std::span<const Shape> inputs) {
  require_channels(inputs[0]);
  require_epsilon(layer.epsilon);
  require_at_least("groups", layer.groups, 1);
  if (inputs[0][1] % layer.groups != 0) {
    throw Error(ErrorKind::model, "", fmt::format("{} groups do not divide {} channels", layer.groups, inputs[0][1]));
  }
  return inputs[0];
}

std::vector<Parameter> parameters(const GroupNorm& layer, std::span<const Shape> inputs) {
  return affine_parameters(layer.scale, layer.offset, {inputs[0][1]});
}

Tensor reference(const GroupNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const Shape shape = inputs[0].shape();
  const auto x = inputs[0].values<float>();
  const Affine affine(layer.scale, layer.offset, parameters);
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto pixels = x.size() / (static_cast<std::size_t>(shape[0]) * channels);
  const auto size = pixels * channels / static_cast<std::size_t>(layer.groups);
  Tensor result = Tensor::zeros(shape);
  const auto y = result.mutable_values<float>();
  for (std::size_t begin = 0; begin < x.size(); begin += size) {
    const auto own = moments(x.subspan(begin, size));
    const double deviation = std::sqrt(own.variance() + layer.epsilon);
    for (std::size_t i = begin; i < begin + size; ++i) {
      y[i] = static_cast<float>(affine((static_cast<double>(x[i]) - own.mean) / deviation, i / pixels % channels));
    }
  }
  return result;
}

}  // namespace alexnet
