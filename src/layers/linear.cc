#include "layers/linear.h"

#include "layers/window.h"

namespace alexnet {

Shape output_shape(const Linear& layer, std::span<const Shape> inputs) {
  require_axes(inputs[0], "NC");
  require_at_least("out_features", layer.out_features, 1);
  return {inputs[0][0], layer.out_features};
}

std::vector<Parameter> parameters(const Linear& layer, std::span<const Shape> inputs) {
  std::vector<Parameter> result{{"weight", {layer.out_features, inputs[0][1]}}};
  if (layer.bias) result.push_back({"bias", {layer.out_features}});
  return result;
}

Tensor reference(const Linear& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const auto x = inputs[0].values<float>();
  const auto w = parameters[0].values<float>();
  const auto features = static_cast<std::size_t>(inputs[0].shape()[1]);
  Tensor result = Tensor::zeros({inputs[0].shape()[0], layer.out_features});
  auto y = result.mutable_values<float>().begin();
  for (std::int64_t n = 0; n < inputs[0].shape()[0]; ++n) {
    for (std::int64_t o = 0; o < layer.out_features; ++o) {
      const auto row = x.subspan(static_cast<std::size_t>(n) * features, features);
      const auto taps = w.subspan(static_cast<std::size_t>(o) * features, features);
      double sum = layer.bias ? static_cast<double>(parameters[1].values<float>()[static_cast<std::size_t>(o)]) : 0.0;
      for (std::size_t i = 0; i < features; ++i) sum += static_cast<double>(row[i]) * static_cast<double>(taps[i]);
      *y++ = static_cast<float>(sum);
    }
  }
  return result;
}

}  // namespace alexnet
