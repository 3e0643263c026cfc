#pragma once

#include <cstdint>

#include "runtime/instruction_set.h"

namespace alexnet {

// destination = max(source, 0) over `count` elements in any layout; NaN stays NaN. Opens one parallel region.
using ReluKernel = void (*)(const float* source, float* destination, std::int64_t count);
ReluKernel relu_kernel(SimdLevel level);

}  // namespace alexnet
