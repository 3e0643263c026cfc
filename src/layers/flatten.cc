#include "layers/flatten.h"

#include "layers/window.h"

namespace alexnet {

Shape output_shape(const Flatten&, std::span<const Shape> inputs) {
  require_channels(inputs[0]);
  return {inputs[0][0], inputs[0].without_batch().elements()};
}

std::vector<Parameter> parameters(const Flatten&, std::span<const Shape>) { return {}; }

Tensor reference(const Flatten& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape in = inputs[0].shape();
  return inputs[0].reshaped(output_shape(layer, std::span(&in, 1)));
}

}  // namespace alexnet
