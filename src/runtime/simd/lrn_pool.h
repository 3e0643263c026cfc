// Response normalisation across channels and max-pooling of u8 maps in one pass, channels last.
#pragma once

#include <cstddef>
#include <cstdint>

#include "layers/lrn.h"
#include "layers/window.h"
#include "runtime/instruction_set.h"

namespace alexnet {

struct LrnPoolArguments {
  const std::uint8_t* source = nullptr;  // height x width x channels
  std::uint8_t* destination = nullptr;   // pooled height x pooled width x channels
  std::byte* scratch = nullptr;          // lrn_pool_scratch_bytes()
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  LrnReach reach{};
  float factor = 0;  // alpha / window size, times the square of the source's scale
  float beta = 0;    // 0.5, 0.75 or 1
  float k = 0;
  float scale = 1;   // of the source, divided by the destination's
  float most = 255;  // of the destination
  Window window{};   // of the pool, without dilation; 1x1: no pool
  Extent2 output{};  // of the pool
};

// destination = maximum over the window of scale * x / (k + factor * (sum of x x over the channels in reach))^beta, in f32, rounded
// to nearest and kept within 0 to `most`. What grows stays in order when it is rounded, so that pooling afterwards is the same as
// pooling before. The power is within 2^-20 of itself. Opens one parallel region.
using LrnPoolKernel = void (*)(const LrnPoolArguments&);
LrnPoolKernel lrn_pool_kernel(SimdLevel level);

std::uint64_t lrn_pool_scratch_bytes(std::int64_t channels, std::int64_t width, const LrnReach& reach, std::int64_t kernel_rows,
                                     int threads);

}  // namespace alexnet
