#include "layers/local_contrast_norm.h"

#include "layers/affine.h"
#include "layers/window.h"
#include "tensor/contrast.h"

namespace alexnet {
namespace {

Neighbourhood neighbourhood(const LocalContrastNorm& layer) { return {layer.local_size, layer.sigma, layer.across_channels}; }

}  // namespace

Shape output_shape(const LocalContrastNorm& layer, std::span<const Shape> inputs) {
  require_axes(inputs[0], "NCHW");
  check(neighbourhood(layer));
  require_epsilon(layer.epsilon);
  return inputs[0];
}

std::vector<Parameter> parameters(const LocalContrastNorm&, std::span<const Shape>) { return {}; }

Tensor reference(const LocalContrastNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape sample = inputs[0].shape().without_batch();
  const auto size = static_cast<std::size_t>(sample.elements());
  Tensor result = Tensor::zeros(inputs[0].shape());
  const auto x = inputs[0].values<float>();
  const auto y = result.mutable_values<float>();
  for (std::size_t at = 0; at < x.size(); at += size) {
    normalise_local_contrast(neighbourhood(layer), layer.epsilon, sample, x.subspan(at, size), y.subspan(at, size));
  }
  return result;
}

}  // namespace alexnet
