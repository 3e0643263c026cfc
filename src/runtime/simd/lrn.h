// Local response normalisation with any window, on row-major tensors and on those whose channels lie side by side.
#pragma once

#include <cstdint>

#include "layers/lrn.h"
#include "runtime/instruction_set.h"

namespace alexnet {

struct LrnArguments {
  const float* source = nullptr;
  float* destination = nullptr;
  float* scratch = nullptr;  // lrn_scratch_bytes()
  LrnRegion region = LrnRegion::across_channels;
  std::int64_t samples = 1;
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  // 0: row-major. Else (N, C / block, H, W, block): all channels, or as many as divide those of a tower. Only across channels.
  std::int64_t block = 0;
  LrnReach reach{};  // no further than the channels or the map
  std::int64_t groups = 1;
  float factor = 0;  // alpha / window size
  float beta = 0;
  float k = 0;
};

// Opens one parallel region. Sums of squares are f32; the power is by square roots and a series for a beta of 0.5, 0.75 and 1
// (within 7 units of roundoff), by exp and log in double for others (within 2). Looks at region and block alone.
using LrnKernel = void (*)(const LrnArguments&);
LrnKernel lrn_kernel(const LrnArguments& arguments, SimdLevel level);

// So many pixels are taken at a time: of a row-major plane, or where channels lie side by side. These need so many floats of
// scratch, a multiple of 16.
inline constexpr std::int64_t kLrnPlanePixels = 256;
inline constexpr std::int64_t kLrnPixels = 8;
std::int64_t lrn_line_floats(std::int64_t channels, const LrnReach& reach);

std::uint64_t lrn_scratch_bytes(const LrnArguments& arguments, int threads);

}  // namespace alexnet
