// Local response normalisation with any window, on row-major tensors: for what oneDNN's primitive can't do.
#pragma once

#include <cstdint>

#include "layers/lrn.h"
#include "runtime/instruction_set.h"

namespace alexnet {

struct LrnArguments {
  const float* source = nullptr;
  float* destination = nullptr;
  float* scratch = nullptr;  // lrn_scratch_bytes()
  std::int64_t samples = 1;
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  LrnReach reach{};
  std::int64_t groups = 1;
  float factor = 0;  // alpha / window size
  float beta = 0;
  float k = 0;
};

// Opens one parallel region. Sums of squares are f32; beta of 0.5, 0.75 and 1 by square roots (within 2 ulp), others by exp and log
// in double (within 1 ulp).
using LrnKernel = void (*)(const LrnArguments&);
LrnKernel lrn_kernel(LrnRegion region, SimdLevel level);

std::uint64_t lrn_scratch_bytes(LrnRegion region, std::int64_t height, std::int64_t width, const LrnReach& reach, int threads);

}  // namespace alexnet
