#include "layers/slice.h"

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "layers/axes.h"
#include "layers/window.h"

namespace alexnet {

Shape output_shape(const Slice& layer, std::span<const Shape> inputs) {
  Shape result = inputs[0];
  require_axis(result, layer.axis);
  require_at_least("count", layer.count, 1);
  const auto extent = result[static_cast<std::size_t>(layer.axis)];
  const auto way = checked_multiply(layer.count - 1, layer.step);
  const auto last = way ? checked_add(layer.begin, *way) : std::nullopt;
  const auto inside = [&](std::int64_t at) { return at >= 0 && at < extent; };
  if (layer.step == 0 || !inside(layer.begin) || !last || !inside(*last)) {
    throw Error(ErrorKind::model, "",
                fmt::format("takes {} elements from {} on in steps of {}, axis {} of {} has {}", layer.count, layer.begin,
                            layer.step, layer.axis, to_string(inputs[0]), extent));
  }
  result[static_cast<std::size_t>(layer.axis)] = layer.count;
  return result;
}

std::vector<Parameter> parameters(const Slice&, std::span<const Shape>) { return {}; }

Tensor reference(const Slice& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape in = inputs[0].shape();
  Tensor result = Tensor::zeros(output_shape(layer, std::span(&in, 1)));
  std::int64_t place = 0;
  for (float& y : result.mutable_values<float>()) {
    auto index = index_of(result.shape(), place++);
    auto& along = index[static_cast<std::size_t>(layer.axis)];
    along = layer.begin + along * layer.step;
    y = inputs[0].values<float>()[static_cast<std::size_t>(place_of(in, index))];
  }
  return result;
}

}  // namespace alexnet
