#include "layers/scale_shift.h"

#include "layers/window.h"

namespace alexnet {

Shape output_shape(const ScaleShift&, std::span<const Shape> inputs) {
  require_channels(inputs[0]);
  return inputs[0];
}

std::vector<Parameter> parameters(const ScaleShift& layer, std::span<const Shape> inputs) {
  const Shape channels{inputs[0][1]};
  std::vector<Parameter> result;
  if (layer.scale) result.push_back({"scale", channels});
  if (layer.offset) result.push_back({"offset", channels});
  return result;
}

Tensor reference(const ScaleShift& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const Shape shape = inputs[0].shape();
  const auto x = inputs[0].values<float>();
  const auto parameter = [&](std::size_t index, std::size_t channel) {
    return static_cast<double>(parameters[index].values<float>()[channel]);
  };
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto pixels = static_cast<std::size_t>(Shape(shape.extents().subspan(2)).elements());
  Tensor result = Tensor::zeros(shape);
  const auto y = result.mutable_values<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto c = i / pixels % channels;
    const double scale = layer.scale ? parameter(0, c) : 1.0;
    const double offset = layer.offset ? parameter(layer.scale ? 1 : 0, c) : 0.0;
    y[i] = static_cast<float>(scale * static_cast<double>(x[i]) + offset);
  }
  return result;
}

}  // namespace alexnet
