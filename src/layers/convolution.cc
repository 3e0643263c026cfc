#include "layers/convolution.h"

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {

Shape output_shape(const Convolution& layer, std::span<const Shape> inputs) {
  const Shape& input = inputs[0];
  const auto [height, width] = sliding_output({layer.kernel, layer.stride, layer.padding, layer.dilation}, input);
  require_at_least("out_channels", layer.out_channels, 1);
  require_at_least("groups", layer.groups, 1);
  if (input[1] % layer.groups != 0 || layer.out_channels % layer.groups != 0) {
    throw Error(ErrorKind::model, "",
                fmt::format("{} groups do not divide {} input and {} output channels", layer.groups, input[1], layer.out_channels));
  }
  return {input[0], layer.out_channels, height, width};
}

std::vector<Parameter> parameters(const Convolution& layer, std::span<const Shape> inputs) {
  std::vector<Parameter> result{{"weight", {layer.out_channels, inputs[0][1] / layer.groups, layer.kernel[0], layer.kernel[1]}}};
  if (layer.bias) result.push_back({"bias", {layer.out_channels}});
  return result;
}

// y[n,o,i,j] = bias[o] + sum over c,r,s of x[n, g*C/groups + c, i*stride + r*dilation - top, j*stride + s*dilation - left] *
// w[o,c,r,s]
Tensor reference(const Convolution& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  const Shape in = inputs[0].shape();
  const Shape out = output_shape(layer, std::span(&in, 1));
  const auto x = inputs[0].values<float>();
  const auto w = parameters[0].values<float>();
  const auto channels = in[1] / layer.groups;
  const auto out_channels_per_group = out[1] / layer.groups;
  Tensor result = Tensor::zeros(out);
  auto y = result.mutable_values<float>().begin();
  for (std::int64_t n = 0; n < out[0]; ++n) {
    for (std::int64_t o = 0; o < out[1]; ++o) {
      const auto first_channel = o / out_channels_per_group * channels;
      for (std::int64_t i = 0; i < out[2]; ++i) {
        for (std::int64_t j = 0; j < out[3]; ++j) {
          double sum = layer.bias ? static_cast<double>(parameters[1].values<float>()[static_cast<std::size_t>(o)]) : 0.0;
          for (std::int64_t c = 0; c < channels; ++c) {
            for (std::int64_t r = 0; r < layer.kernel[0]; ++r) {
              const auto row = i * layer.stride[0] + r * layer.dilation[0] - layer.padding[0];
              if (row < 0 || row >= in[2]) continue;
              for (std::int64_t s = 0; s < layer.kernel[1]; ++s) {
                const auto column = j * layer.stride[1] + s * layer.dilation[1] - layer.padding[1];
                if (column < 0 || column >= in[3]) continue;
                const auto at_x = ((n * in[1] + first_channel + c) * in[2] + row) * in[3] + column;
                const auto at_w = ((o * channels + c) * layer.kernel[0] + r) * layer.kernel[1] + s;
                sum +=
                    static_cast<double>(x[static_cast<std::size_t>(at_x)]) * static_cast<double>(w[static_cast<std::size_t>(at_w)]);
              }
            }
          }
          *y++ = static_cast<float>(sum);
        }
      }
    }
  }
  return result;
}

}  // namespace alexnet
