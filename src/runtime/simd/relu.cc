#include "runtime/simd/relu.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/relu.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

void piece(const float* source, float* destination, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t at = 0;
  for (; at + step <= count; at += step) {
    const auto x = hn::LoadU(d, source + at);
    hn::StoreU(hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x), d, destination + at);
  }
  for (; at < count; ++at) destination[at] = source[at] < 0 ? 0 : source[at];
}

void relu(const float* source, float* destination, std::int64_t count) {
  constexpr std::int64_t kPiece = 4096;
#pragma omp parallel for schedule(static)
  for (std::int64_t at = 0; at < count; at += kPiece) piece(source + at, destination + at, std::min(kPiece, count - at));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

ReluKernel relu_kernel(SimdLevel level) { return ALEXNET_SIMD(relu, level); }

}  // namespace alexnet
#endif
