#include "runtime/quantisation.h"

#include <algorithm>
#include <cmath>

namespace alexnet {

Quantisation quantisation(const Range& range, bool vnni) {
  Quantisation result{.scale = 1, .zero = 0, .most = vnni ? 255 : 127};
  // A range of one number has no scale of its own; its zero is a zero at any.
  if (range.highest > range.lowest) result.scale = static_cast<float>((range.highest - range.lowest) / result.most);
  result.zero = static_cast<std::int32_t>(std::lround(-range.lowest / static_cast<double>(result.scale)));
  result.zero = std::clamp(result.zero, 0, result.most);
  return result;
}

Int8Weight int8(const Weight& weight) {
  const Weight dense = weight.storage == Storage::int8 ? weight : stored(widened(weight), Storage::int8);
  const auto scales = dense.scale.values<float>();
  return {.values = dense.data, .scales = {scales.begin(), scales.end()}};
}

BlockConvolution over_blocks(const Convolution& layer, const Shape& input) {
  // Blocks of more channels than this fill vectors without help.
  constexpr std::int64_t kMostChannels = 64;
  const auto stride = layer.stride[0];
  const bool strided = stride > 1 && layer.stride[1] == stride && layer.groups == 1 && layer.dilation == Extent2{1, 1};
  BlockConvolution result{
      .layer = layer, .block = strided && input[1] * stride * stride <= kMostChannels ? stride : 1, .input = {}};
  const auto [top, left, bottom, right] = layer.padding;
  const Shape output = output_shape(layer, std::span(&input, 1));
  result.layer.padding = {};
  if (result.block == 1) {
    result.input = Shape{input[0], input[1], top + input[2] + bottom, left + input[3] + right};
    return result;
  }
  const auto taps = [&](std::size_t axis) { return (layer.kernel[axis] + stride - 1) / stride; };
  result.layer.kernel = {taps(0), taps(1)};
  result.layer.stride = {1, 1};
  result.input = Shape{input[0], input[1] * stride * stride, output[2] + taps(0) - 1, output[3] + taps(1) - 1};
  return result;
}

Tensor over_blocks(const Tensor& weight, const BlockConvolution& blocks) {
  if (blocks.block == 1) return weight;
  const auto block = blocks.block;
  const auto [rows, columns] = blocks.layer.kernel;
  const Shape& from = weight.shape();
  Tensor result = Tensor::allocate(ElementType::i8, {from[0], from[1] * block * block, rows, columns});
  const auto source = weight.values<std::int8_t>();
  const auto destination = result.mutable_values<std::int8_t>();
  std::size_t next = 0;
  for (std::int64_t out = 0; out < from[0]; ++out) {
    for (std::int64_t c = 0; c < from[1]; ++c) {
      for (std::int64_t y = 0; y < from[2]; ++y) {
        for (std::int64_t x = 0; x < from[3]; ++x) {
          const auto channel = (y % block * block + x % block) * from[1] + c;
          const auto at = ((out * from[1] * block * block + channel) * rows + y / block) * columns + x / block;
          destination[static_cast<std::size_t>(at)] = source[next++];
        }
      }
    }
  }
  return result;
}

}  // namespace alexnet
