#include "layers/reshape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "alexnet/error.h"

namespace alexnet {

Shape output_shape(const Reshape& layer, std::span<const Shape> inputs) {
  const auto sample = Shape::make(layer.shape);
  const auto& in = inputs[0];
  if (in.rank() == 0 || !sample || sample->rank() >= Shape::kMaxRank || sample->elements() != in.without_batch().elements()) {
    throw Error(ErrorKind::model, "",
                fmt::format("can't give a sample of {} the shape {}", to_string(in), fmt::join(layer.shape, "x")));
  }
  return sample->with_batch(in[0]);
}

std::vector<Parameter> parameters(const Reshape&, std::span<const Shape>) { return {}; }

Tensor reference(const Reshape& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape in = inputs[0].shape();
  return inputs[0].reshaped(output_shape(layer, std::span(&in, 1)));
}

}  // namespace alexnet
