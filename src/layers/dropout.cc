#include "layers/dropout.h"

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {

Shape output_shape(const Dropout& layer, std::span<const Shape> inputs) {
  if (!(layer.ratio >= 0 && layer.ratio <= 1)) {
    throw Error(ErrorKind::model, "", fmt::format("ratio is {}, must be between 0 and 1", shortest(layer.ratio)));
  }
  return inputs[0];
}

std::vector<Parameter> parameters(const Dropout&, std::span<const Shape>) { return {}; }

Tensor reference(const Dropout&, std::span<const Tensor> inputs, std::span<const Tensor>) { return inputs[0]; }

}  // namespace alexnet
