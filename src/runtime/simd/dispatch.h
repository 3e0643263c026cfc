// Which of the compiled versions of a kernel runs. Only for the .cc files here, behind <hwy/foreach_target.h>.
#pragma once

#include <cstddef>

#include <hwy/highway.h>

#include "runtime/instruction_set.h"

namespace alexnet {

// The level decides, not the processor alone: Highway's own choice is the best the processor has, while the bits of a result
// belong to an instruction set.
inline std::size_t simd_index(SimdLevel level) {
  std::int64_t targets = hwy::SupportedTargets();
  if (level < SimdLevel::avx512_vbmi) targets &= ~std::int64_t{HWY_AVX3_DL};
  if (level < SimdLevel::avx512) targets &= ~std::int64_t{HWY_AVX3};
  if (level < SimdLevel::avx2) targets &= ~std::int64_t{HWY_AVX2};
  hwy::ChosenTarget chosen;
  chosen.Update(targets);
  return chosen.GetIndex();
}

}  // namespace alexnet

#define ALEXNET_SIMD(FUNCTION, LEVEL) HWY_DISPATCH_TABLE(FUNCTION)[alexnet::simd_index(LEVEL)]
