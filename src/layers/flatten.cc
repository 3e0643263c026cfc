#include "layers/flatten.h"

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {

Shape output_shape(const Flatten&, std::span<const Shape> inputs) {
  if (inputs[0].rank() < 2)
    throw Error(ErrorKind::model, "", fmt::format("wants an input of rank 2 or more, found {}", to_string(inputs[0])));
  return {inputs[0][0], inputs[0].without_batch().elements()};
}

std::vector<Parameter> parameters(const Flatten&, std::span<const Shape>) { return {}; }

Tensor reference(const Flatten& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape in = inputs[0].shape();
  return inputs[0].reshaped(output_shape(layer, std::span(&in, 1)));
}

}  // namespace alexnet
