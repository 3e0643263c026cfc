// Which of the compiled versions of a kernel runs. Only for the .cc files here, behind <hwy/foreach_target.h>.
#pragma once

#include <cstddef>

#include <hwy/highway.h>

#include "runtime/instruction_set.h"

namespace alexnet {

// The level decides, not the processor alone: Highway's own choice is the best the processor has, while the bits of a result
// belong to an instruction set. `above` are the versions for the levels above the baseline, null where the compiler's own
// baseline makes them needless.
template <typename Function>
Function simd_version(SimdLevel level, Function baseline, const Function (&above)[3]) {
  for (auto i = static_cast<std::size_t>(level); i > 0; --i)
    if (above[i - 1] != nullptr) return above[i - 1];
  return baseline;
}

}  // namespace alexnet

#define ALEXNET_SIMD(FUNCTION, LEVEL)                              \
  alexnet::simd_version<decltype(&HWY_STATIC_DISPATCH(FUNCTION))>( \
      LEVEL, &HWY_STATIC_DISPATCH(FUNCTION), {HWY_CHOOSE_AVX2(FUNCTION), HWY_CHOOSE_AVX3(FUNCTION), HWY_CHOOSE_AVX3_DL(FUNCTION)})
