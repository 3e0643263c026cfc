#include "layers/local_mean_subtraction.h"

#include "layers/window.h"
#include "tensor/contrast.h"

namespace alexnet {
namespace {

Neighbourhood neighbourhood(const LocalMeanSubtraction& layer) { return {layer.local_size, layer.sigma, layer.across_channels}; }

}  // namespace

Shape output_shape(const LocalMeanSubtraction& layer, std::span<const Shape> inputs) {
  require_axes(inputs[0], "NCHW");
  check(neighbourhood(layer));
  return inputs[0];
}

std::vector<Parameter> parameters(const LocalMeanSubtraction&, std::span<const Shape>) { return {}; }

Tensor reference(const LocalMeanSubtraction& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape sample = inputs[0].shape().without_batch();
  const auto size = static_cast<std::size_t>(sample.elements());
  Tensor result = Tensor::zeros(inputs[0].shape());
  const auto x = inputs[0].values<float>();
  const auto y = result.mutable_values<float>();
  for (std::size_t at = 0; at < x.size(); at += size) {
    subtract_local_mean(neighbourhood(layer), sample, x.subspan(at, size), y.subspan(at, size));
  }
  return result;
}

}  // namespace alexnet
