#include "layers/layer_norm.h"

#include <cmath>

#include "layers/affine.h"
#include "layers/axes.h"
#include "tensor/moments.h"

namespace alexnet {
namespace {

Shape averaged(const LayerNorm& layer, const Shape& shape) {
  return Shape(shape.extents().subspan(static_cast<std::size_t>(layer.axis)));
}

}  // namespace

Shape output_shape(const LayerNorm& layer, std::span<const Shape> inputs) {
  require_axis(inputs[0], layer.axis);
  require_epsilon(layer.epsilon);
  return inputs[0];
}

std::vector<Parameter> parameters(const LayerNorm& layer, std::span<const Shape> inputs) {
  return affine_parameters(layer.scale, layer.offset, averaged(layer, inputs[0]));
}

Tensor reference(const LayerNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const auto x = inputs[0].values<float>();
  const Affine affine(layer.scale, layer.offset, parameters);
  const auto size = static_cast<std::size_t>(averaged(layer, inputs[0].shape()).elements());
  Tensor result = Tensor::zeros(inputs[0].shape());
  const auto y = result.mutable_values<float>();
  for (std::size_t begin = 0; begin < x.size(); begin += size) {
    const auto own = moments(x.subspan(begin, size));
    const double deviation = std::sqrt(own.variance() + layer.epsilon);
    for (std::size_t i = 0; i < size; ++i) {
      y[begin + i] = static_cast<float>(affine((static_cast<double>(x[begin + i]) - own.mean) / deviation, i));
    }
  }
  return result;
}

}  // namespace alexnet
