// Our own kernels, compiled for each SimdLevel from the same source.
#pragma once

#include "runtime/instruction_set.h"

namespace alexnet {

// The highest level that this processor has.
SimdLevel processor_simd_level();

}  // namespace alexnet
