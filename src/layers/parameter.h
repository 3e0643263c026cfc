// What a layer takes: the outputs of other layers, and learned tensors of its own.
#pragma once

#include <cstddef>
#include <string_view>

#include "tensor/shape.h"

namespace alexnet {

// The numbers of inputs that a kind accepts.
struct InputCount {
  std::size_t least = 1;
  std::size_t most = 1;
};

// A learned tensor by the name that it has in model files: LAYER.weight is `weight` of LAYER.
struct Parameter {
  std::string_view name;
  Shape shape;
};

}  // namespace alexnet
