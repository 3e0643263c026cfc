#include "layers/average_pool.h"

#include <algorithm>

namespace alexnet {

Shape output_shape(const AveragePool& layer, std::span<const Shape> inputs) {
  const Window window{.kernel = layer.kernel, .stride = layer.stride, .padding = layer.padding, .rounding = layer.rounding};
  const auto [height, width] = sliding_output(window, inputs[0]);
  return {inputs[0][0], inputs[0][1], height, width};
}

std::vector<Parameter> parameters(const AveragePool&, std::span<const Shape>) { return {}; }

Tensor reference(const AveragePool& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape in = inputs[0].shape();
  const Shape out = output_shape(layer, std::span(&in, 1));
  const auto x = inputs[0].values<float>();
  Tensor result = Tensor::zeros(out);
  auto y = result.mutable_values<float>().begin();
  for (std::int64_t map = 0; map < out[0] * out[1]; ++map) {
    for (std::int64_t i = 0; i < out[2]; ++i) {
      for (std::int64_t j = 0; j < out[3]; ++j) {
        const auto top = i * layer.stride[0] - layer.padding[0];
        const auto left = j * layer.stride[1] - layer.padding[1];
        const auto bottom = std::min(top + layer.kernel[0], in[2] + layer.padding[2]);
        const auto right = std::min(left + layer.kernel[1], in[3] + layer.padding[3]);
        double sum = 0;
        std::int64_t inside = 0;
        for (auto row = std::max<std::int64_t>(top, 0); row < std::min(bottom, in[2]); ++row) {
          for (auto column = std::max<std::int64_t>(left, 0); column < std::min(right, in[3]); ++column) {
            sum += static_cast<double>(x[static_cast<std::size_t>((map * in[2] + row) * in[3] + column)]);
            ++inside;
          }
        }
        const auto divisor = layer.count_padding ? (bottom - top) * (right - left) : inside;
        *y++ = static_cast<float>(sum / static_cast<double>(divisor));
      }
    }
  }
  return result;
}

}  // namespace alexnet
