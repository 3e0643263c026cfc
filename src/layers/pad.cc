#include "layers/pad.h"

#include <algorithm>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "layers/axes.h"
#include "layers/window.h"

namespace alexnet {

Shape output_shape(const Pad& layer, std::span<const Shape> inputs) {
  constexpr std::int64_t kLargest = std::int64_t{1} << 30;
  Shape result = inputs[0];
  if (layer.before.size() + 1 != result.rank() || layer.after.size() + 1 != result.rank()) {
    throw Error(ErrorKind::model, "",
                fmt::format("pads {} axes in front and {} behind, the input {} has {} behind its batch", layer.before.size(),
                            layer.after.size(), to_string(inputs[0]), result.rank() - 1));
  }
  for (std::size_t axis = 1; axis < result.rank(); ++axis) {
    for (const auto padding : {layer.before[axis - 1], layer.after[axis - 1]}) {
      require_at_least("padding", padding, 0);
      if (padding > kLargest) throw Error(ErrorKind::model, "", fmt::format("padding is {}, more than {}", padding, kLargest));
      result[axis] += padding;
    }
  }
  return result;
}

std::vector<Parameter> parameters(const Pad&, std::span<const Shape>) { return {}; }

Tensor reference(const Pad& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape in = inputs[0].shape();
  Tensor result = Tensor::zeros(output_shape(layer, std::span(&in, 1)));
  const auto y = result.mutable_values<float>();
  std::ranges::fill(y, static_cast<float>(layer.value));
  std::int64_t place = 0;
  for (const float x : inputs[0].values<float>()) {
    auto index = index_of(in, place++);
    for (std::size_t axis = 1; axis < in.rank(); ++axis) index[axis] += layer.before[axis - 1];
    y[static_cast<std::size_t>(place_of(result.shape(), index))] = x;
  }
  return result;
}

}  // namespace alexnet
