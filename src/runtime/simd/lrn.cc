#include "runtime/simd/lrn.h"

#include <omp.h>

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/lrn.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "runtime/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Calls run(d, at) for whole vectors of [0, count), then for single elements.
template <typename RunVector>
void for_each_vector(std::int64_t count, const RunVector& run) {
  const hn::ScalableTag<float> d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t at = 0;
  for (; at + step <= count; at += step) run(d, at);
  for (; at < count; ++at) run(hn::CappedTag<float, 1>(), at);
}

template <typename D, typename V = hn::Vec<D>>
V general_power(D d, V base, double exponent) {
  const hn::Rebind<double, hn::CappedTag<float, hn::MaxLanes(D()) / 2 + (hn::MaxLanes(D()) == 1)>> half;
  HWY_ALIGN float values[HWY_MAX_BYTES / sizeof(float)] = {};
  hn::Store(base, d, values);
  const auto lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < lanes; i += hn::Lanes(half)) {
    const hn::Rebind<float, decltype(half)> narrow;
    const auto wide = hn::PromoteTo(half, hn::LoadU(narrow, values + i));
    const auto power = hn::Exp(half, hn::Mul(hn::Set(half, exponent), hn::Log(half, wide)));
    // Log of zero is not for Exp to undo.
    const auto at_zero = hn::Set(half, exponent > 0 ? 0.0 : exponent < 0 ? HUGE_VAL : 1.0);
    const auto zero = hn::Eq(wide, hn::Zero(half));
    hn::StoreU(hn::DemoteTo(narrow, hn::IfThenElse(zero, at_zero, power)), narrow, values + i);
  }
  return hn::Load(d, values);
}

// x / (k + factor * sum)^beta
template <typename D, typename V = hn::Vec<D>>
V normalised(D d, V x, V sum, const LrnArguments& a) {
  const V base = hn::MulAdd(hn::Set(d, a.factor), sum, hn::Set(d, a.k));
  if (a.beta == 0.75f) {
    const V root = hn::Sqrt(base);
    return hn::Div(x, hn::Mul(root, hn::Sqrt(root)));
  }
  if (a.beta == 0.5f) return hn::Div(x, hn::Sqrt(base));
  if (a.beta == 1.0f) return hn::Div(x, base);
  return hn::Div(x, general_power(d, base, static_cast<double>(a.beta)));
}

void across_channels(const LrnArguments& a) {
  const auto pixels = a.height * a.width;
  const auto tower = a.channels / a.groups;
#pragma omp parallel for schedule(static)
  for (std::int64_t map = 0; map < a.samples * a.channels; ++map) {
    const auto channel = map % a.channels;
    const auto first = channel / tower * tower;
    const auto begin = map - channel + std::max(channel - a.reach.before, first);
    const auto end = map - channel + std::min(channel + a.reach.after + 1, first + tower);
    for_each_vector(pixels, [&](auto d, std::int64_t at) HWY_ATTR {
      auto sum = hn::Zero(d);
      for (auto other = begin; other < end; ++other) {
        const auto x = hn::LoadU(d, a.source + other * pixels + at);
        sum = hn::MulAdd(x, x, sum);
      }
      hn::StoreU(normalised(d, hn::LoadU(d, a.source + map * pixels + at), sum, a), d, a.destination + map * pixels + at);
    });
  }
}

// Sums along each row first, then of those along each column.
void within_plane(const LrnArguments& a, const float* source, float* destination, float* scratch) {
  const auto window = a.reach.before + a.reach.after + 1;
  float* row_sums = scratch;
  float* squares = scratch + a.height * a.width;
  std::fill_n(squares, a.width + window, 0.0f);
  for (std::int64_t row = 0; row < a.height; ++row) {
    for_each_vector(a.width, [&](auto d, std::int64_t at) HWY_ATTR {
      const auto x = hn::LoadU(d, source + row * a.width + at);
      hn::StoreU(hn::Mul(x, x), d, squares + a.reach.before + at);
    });
    for_each_vector(a.width, [&](auto d, std::int64_t at) HWY_ATTR {
      auto sum = hn::Zero(d);
      for (std::int64_t tap = 0; tap < window; ++tap) sum = hn::Add(sum, hn::LoadU(d, squares + at + tap));
      hn::StoreU(sum, d, row_sums + row * a.width + at);
    });
  }
  for (std::int64_t row = 0; row < a.height; ++row) {
    const auto begin = std::max<std::int64_t>(row - a.reach.before, 0);
    const auto end = std::min(row + a.reach.after + 1, a.height);
    for_each_vector(a.width, [&](auto d, std::int64_t at) HWY_ATTR {
      auto sum = hn::Zero(d);
      for (auto other = begin; other < end; ++other) sum = hn::Add(sum, hn::LoadU(d, row_sums + other * a.width + at));
      const auto x = hn::LoadU(d, source + row * a.width + at);
      hn::StoreU(normalised(d, x, sum, a), d, destination + row * a.width + at);
    });
  }
}

void within_channel(const LrnArguments& a) {
  const auto pixels = a.height * a.width;
  const auto own = lrn_scratch_bytes(LrnRegion::within_channel, a.height, a.width, a.reach, 1) / sizeof(float);
#pragma omp parallel
  {
    float* scratch = a.scratch + static_cast<std::uint64_t>(omp_get_thread_num()) * own;
#pragma omp for schedule(static)
    for (std::int64_t map = 0; map < a.samples * a.channels; ++map)
      within_plane(a, a.source + map * pixels, a.destination + map * pixels, scratch);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

HWY_EXPORT(across_channels);
HWY_EXPORT(within_channel);

LrnKernel lrn_kernel(LrnRegion region, SimdLevel level) {
  return region == LrnRegion::across_channels ? ALEXNET_SIMD(across_channels, level) : ALEXNET_SIMD(within_channel, level);
}

std::uint64_t lrn_scratch_bytes(LrnRegion region, std::int64_t height, std::int64_t width, const LrnReach& reach, int threads) {
  if (region == LrnRegion::across_channels) return 0;
  const auto floats = height * width + width + reach.before + reach.after + 1;
  const auto line = (static_cast<std::uint64_t>(floats) * sizeof(float) + 63) / 64 * 64;
  return line * static_cast<std::uint64_t>(threads);
}

}  // namespace alexnet
#endif
