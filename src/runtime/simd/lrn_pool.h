// Response normalisation across channels and max-pooling in one pass, channels last.
#pragma once

#include <cstddef>
#include <cstdint>

#include "layers/lrn.h"
#include "layers/window.h"
#include "runtime/instruction_set.h"

namespace alexnet {

struct LrnPoolArguments {
  const std::byte* source = nullptr;  // height x width x channels, f32 or u8
  std::byte* destination = nullptr;   // pooled height x pooled width x channels of the same type
  std::byte* scratch = nullptr;       // lrn_pool_scratch_bytes()
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  LrnReach reach{};
  std::int64_t groups = 1;
  float factor = 0;  // alpha / window size; for u8 times the square of the source's scale
  float beta = 0;
  float k = 0;
  Window window{};   // of the pool, without dilation; 1x1 with a stride of 1: no pool
  Extent2 output{};  // of the pool
  // For u8.
  float scale = 1;   // of the source, divided by the destination's
  float most = 255;  // of the destination
};

// destination = maximum over the window of scale * x / (k + factor * (sum of x x over the channels in reach))^beta. f32 is computed
// as by lrn.h; u8 in f32, rounded to nearest and kept within 0 to `most`: what grows stays in order when it is rounded, so that
// pooling afterwards is the same as pooling before. Opens one parallel region.
using LrnPoolKernel = void (*)(const LrnPoolArguments&);
LrnPoolKernel lrn_pool_kernel(SimdLevel level);
LrnPoolKernel u8_lrn_pool_kernel(SimdLevel level);

std::uint64_t lrn_pool_scratch_bytes(const LrnPoolArguments& arguments, std::uint64_t element_bytes, int threads);

}  // namespace alexnet
