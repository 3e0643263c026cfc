#include "runtime/simd/level.h"

namespace alexnet {

// What Highway's targets of these names are compiled with, but for what every such processor has. Its own answer is not asked
// for: the library that gives it measures clocks for 4 ms when it is loaded.
SimdLevel processor_simd_level() {
  const auto has = [](auto... present) { return (... && (present != 0)); };
  const bool avx2 = has(__builtin_cpu_supports("avx2"), __builtin_cpu_supports("fma"), __builtin_cpu_supports("bmi"),
                        __builtin_cpu_supports("bmi2"));
  const bool avx512 = has(__builtin_cpu_supports("avx512f"), __builtin_cpu_supports("avx512cd"), __builtin_cpu_supports("avx512bw"),
                          __builtin_cpu_supports("avx512dq"), __builtin_cpu_supports("avx512vl"));
  const bool vbmi =
      has(__builtin_cpu_supports("avx512vnni"), __builtin_cpu_supports("avx512vbmi"), __builtin_cpu_supports("avx512vbmi2"),
          __builtin_cpu_supports("avx512bitalg"), __builtin_cpu_supports("avx512vpopcntdq"), __builtin_cpu_supports("gfni"),
          __builtin_cpu_supports("vpclmulqdq"));
  if (!avx2) return SimdLevel::baseline;
  if (!avx512) return SimdLevel::avx2;
  return vbmi ? SimdLevel::avx512_vbmi : SimdLevel::avx512;
}

}  // namespace alexnet
