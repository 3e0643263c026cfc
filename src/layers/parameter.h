// A learned tensor that a layer needs, by the name it has in model files: LAYER.weight is `weight` of LAYER.
#pragma once

#include <string_view>

#include "tensor/shape.h"

namespace alexnet {

struct Parameter {
  std::string_view name;
  Shape shape;
};

}  // namespace alexnet
