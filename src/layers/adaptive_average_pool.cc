#include "layers/adaptive_average_pool.h"

namespace alexnet {

Shape output_shape(const AdaptiveAveragePool& layer, std::span<const Shape> inputs) {
  require_axes(inputs[0], "NCHW");
  for (const auto extent : layer.output) require_at_least("output", extent, 1);
  return {inputs[0][0], inputs[0][1], layer.output[0], layer.output[1]};
}

std::vector<Parameter> parameters(const AdaptiveAveragePool&, std::span<const Shape>) { return {}; }

Tensor reference(const AdaptiveAveragePool& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape in = inputs[0].shape();
  const Shape out = output_shape(layer, std::span(&in, 1));
  const auto x = inputs[0].values<float>();
  Tensor result = Tensor::zeros(out);
  auto y = result.mutable_values<float>().begin();
  for (std::int64_t map = 0; map < out[0] * out[1]; ++map) {
    for (std::int64_t i = 0; i < out[2]; ++i) {
      const auto top = i * in[2] / out[2];
      const auto bottom = ((i + 1) * in[2] + out[2] - 1) / out[2];
      for (std::int64_t j = 0; j < out[3]; ++j) {
        const auto left = j * in[3] / out[3];
        const auto right = ((j + 1) * in[3] + out[3] - 1) / out[3];
        double sum = 0;
        for (auto row = top; row < bottom; ++row) {
          for (auto column = left; column < right; ++column) {
            sum += static_cast<double>(x[static_cast<std::size_t>((map * in[2] + row) * in[3] + column)]);
          }
        }
        *y++ = static_cast<float>(sum / static_cast<double>((bottom - top) * (right - left)));
      }
    }
  }
  return result;
}

}  // namespace alexnet
