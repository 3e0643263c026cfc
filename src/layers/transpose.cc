#include "layers/transpose.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "alexnet/error.h"
#include "layers/axes.h"

namespace alexnet {

Shape output_shape(const Transpose& layer, std::span<const Shape> inputs) {
  const Shape& in = inputs[0];
  auto sorted = layer.permutation;
  std::ranges::sort(sorted);
  bool permutes = sorted.size() + 1 == in.rank();
  for (std::size_t i = 0; permutes && i < sorted.size(); ++i) permutes = sorted[i] == static_cast<std::int64_t>(i) + 1;
  if (!permutes) {
    throw Error(ErrorKind::model, "",
                fmt::format("permutation {} does not name each axis of the input {} behind its batch once",
                            fmt::join(layer.permutation, ","), to_string(in)));
  }
  Shape result = in;
  for (std::size_t i = 0; i < sorted.size(); ++i) result[i + 1] = in[static_cast<std::size_t>(layer.permutation[i])];
  return result;
}

std::vector<Parameter> parameters(const Transpose&, std::span<const Shape>) { return {}; }

Tensor reference(const Transpose& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape in = inputs[0].shape();
  Tensor result = Tensor::zeros(output_shape(layer, std::span(&in, 1)));
  std::int64_t place = 0;
  for (float& y : result.mutable_values<float>()) {
    const auto index = index_of(result.shape(), place++);
    Index from{index[0]};
    for (std::size_t i = 0; i < layer.permutation.size(); ++i) from[static_cast<std::size_t>(layer.permutation[i])] = index[i + 1];
    y = inputs[0].values<float>()[static_cast<std::size_t>(place_of(in, from))];
  }
  return result;
}

}  // namespace alexnet
