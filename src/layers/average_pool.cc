#include "layers/average_pool.h"

#include <algorithm>

namespace alexnet {
namespace {

// The taps of a window that begins at `begin`: indexes [first, last) lie inside the input of this extent; `padded` of them
// inside the padded one.
struct Taps {
  std::int64_t first;
  std::int64_t last;
  std::int64_t padded;
};

Taps taps(const AveragePool& layer, std::int64_t begin, std::int64_t input, std::size_t axis) {
  const auto dilation = layer.dilation[axis];
  const auto below = [&](std::int64_t end) {
    return std::clamp<std::int64_t>((end - begin + dilation - 1) / dilation, 0, layer.kernel[axis]);
  };
  return {begin < 0 ? below(0) : 0, below(input), below(input + layer.padding[axis + 2])};
}

}  // namespace

Shape output_shape(const AveragePool& layer, std::span<const Shape> inputs) {
  const auto [height, width] =
      pooled_output({layer.kernel, layer.stride, layer.padding, layer.dilation, layer.rounding}, inputs[0]);
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
      const auto top = i * layer.stride[0] - layer.padding[0];
      const auto rows = taps(layer, top, in[2], 0);
      for (std::int64_t j = 0; j < out[3]; ++j) {
        const auto left = j * layer.stride[1] - layer.padding[1];
        const auto columns = taps(layer, left, in[3], 1);
        double sum = 0;
        for (auto r = rows.first; r < rows.last; ++r) {
          for (auto s = columns.first; s < columns.last; ++s) {
            const auto row = top + r * layer.dilation[0];
            const auto column = left + s * layer.dilation[1];
            sum += static_cast<double>(x[static_cast<std::size_t>((map * in[2] + row) * in[3] + column)]);
          }
        }
        const auto divisor =
            layer.count_padding ? rows.padded * columns.padded : (rows.last - rows.first) * (columns.last - columns.first);
        *y++ = static_cast<float>(sum / static_cast<double>(divisor));
      }
    }
  }
  return result;
}

}  // namespace alexnet
