#include "runtime/simd/level.h"

#include <hwy/targets.h>

namespace alexnet {

SimdLevel processor_simd_level() {
  const auto targets = hwy::SupportedTargets();
  if ((targets & HWY_AVX3_DL) != 0) return SimdLevel::avx512_vbmi;
  if ((targets & HWY_AVX3) != 0) return SimdLevel::avx512;
  if ((targets & HWY_AVX2) != 0) return SimdLevel::avx2;
  return SimdLevel::baseline;
}

}  // namespace alexnet
