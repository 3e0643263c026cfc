#include "layers/max_pool.h"

#include <cmath>
#include <limits>

namespace alexnet {

Shape output_shape(const MaxPool& layer, std::span<const Shape> inputs) {
  const auto [height, width] =
      pooled_output({layer.kernel, layer.stride, layer.padding, layer.dilation, layer.rounding}, inputs[0]);
  return {inputs[0][0], inputs[0][1], height, width};
}

std::vector<Parameter> parameters(const MaxPool&, std::span<const Shape>) { return {}; }

Tensor reference(const MaxPool& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape in = inputs[0].shape();
  const Shape out = output_shape(layer, std::span(&in, 1));
  const auto x = inputs[0].values<float>();
  Tensor result = Tensor::zeros(out);
  auto y = result.mutable_values<float>().begin();
  for (std::int64_t map = 0; map < out[0] * out[1]; ++map) {
    for (std::int64_t i = 0; i < out[2]; ++i) {
      for (std::int64_t j = 0; j < out[3]; ++j) {
        float largest = -std::numeric_limits<float>::infinity();
        for (std::int64_t r = 0; r < layer.kernel[0]; ++r) {
          const auto row = i * layer.stride[0] + r * layer.dilation[0] - layer.padding[0];
          if (row < 0 || row >= in[2]) continue;
          for (std::int64_t s = 0; s < layer.kernel[1]; ++s) {
            const auto column = j * layer.stride[1] + s * layer.dilation[1] - layer.padding[1];
            if (column < 0 || column >= in[3]) continue;
            const float value = x[static_cast<std::size_t>((map * in[2] + row) * in[3] + column)];
            if (value > largest || std::isnan(value)) largest = value;
          }
        }
        *y++ = largest;
      }
    }
  }
  return result;
}

}  // namespace alexnet
