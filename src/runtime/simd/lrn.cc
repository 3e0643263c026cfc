#include "runtime/simd/lrn.h"

#include <omp.h>

#include <algorithm>
#include <cfloat>

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

constexpr std::int64_t kLinePixels = 8;  // laid out at a time

// Calls run(d, at) so that each of [0, count) is in one of its vectors; the last one may overlap the one before.
template <typename RunVector>
void for_each_vector(std::int64_t count, const RunVector& run) {
  const hn::ScalableTag<float> d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t at = 0;
  for (; at + step <= count; at += step) run(d, at);
  if (at == count) return;
  if (count >= step) return run(d, count - step);
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

// By the processor's estimate q of base^-1/4 and three terms of the series of (base * q^4)^-3/4 around 1: with e = 1 - base * q^4,
// below 2.3e-3 for estimates of 12 bits, what is left out is below 1e-8. With the roundings, within 5 units of roundoff.
template <typename D, typename V = hn::Vec<D>>
V power_of_minus_three_quarters(D d, V base) {
  const V q = hn::ApproximateReciprocalSqrt(hn::Mul(base, hn::ApproximateReciprocalSqrt(base)));
  const V q2 = hn::Mul(q, q);
  const V q3 = hn::Mul(q2, q);
  const V e = hn::NegMulAdd(hn::Mul(base, q2), q2, hn::Set(d, 1.0f));
  return hn::MulAdd(q3, hn::Mul(e, hn::MulAdd(e, hn::Set(d, 21.0f / 32), hn::Set(d, 0.75f))), q3);
}

// base^-1/2 in the same way.
template <typename D, typename V = hn::Vec<D>>
V power_of_minus_half(D d, V base) {
  const V q = hn::ApproximateReciprocalSqrt(base);
  const V e = hn::NegMulAdd(hn::Mul(base, q), q, hn::Set(d, 1.0f));
  return hn::MulAdd(q, hn::Mul(e, hn::MulAdd(e, hn::Set(d, 0.375f), hn::Set(d, 0.5f))), q);
}

enum class Beta { half, three_quarters, one, any };

// x / (k + factor * sum)^beta, with numbers of its own: those of LrnArguments could change with every store, for all a compiler
// knows.
template <Beta kBeta>
struct Normaliser {
  float factor;
  float k;
  double beta;
  bool bounded;  // the sum times the factor plus k is above FLT_MIN, if not NaN

  explicit Normaliser(const LrnArguments& a)
      : factor(a.factor), k(a.k), beta(static_cast<double>(a.beta)), bounded(a.factor >= 0 && a.k >= FLT_MIN) {}

  template <typename D, typename V = hn::Vec<D>>
  V operator()(D d, V x, V sum) const {
    V base = hn::MulAdd(hn::Set(d, factor), sum, hn::Set(d, k));
    if constexpr (kBeta == Beta::any) return hn::Div(x, general_power(d, base, beta));
    if constexpr (kBeta == Beta::one) return hn::Div(x, base);
    // What the estimates do not take: zero, less, and infinity. NaN stays NaN.
    if (HWY_LIKELY(bounded)) {
      base = hn::Min(hn::Set(d, FLT_MAX), base);
    } else if (!hn::AllTrue(d, hn::And(hn::Ge(base, hn::Set(d, FLT_MIN)), hn::Le(base, hn::Set(d, FLT_MAX))))) {
      const V root = hn::Sqrt(base);
      return hn::Div(x, kBeta == Beta::half ? root : hn::Mul(root, hn::Sqrt(root)));
    }
    return hn::Mul(x, kBeta == Beta::half ? power_of_minus_half(d, base) : power_of_minus_three_quarters(d, base));
  }
};

// Calls run(normaliser) with that for the layer's beta.
template <typename RunAll>
void with_normaliser(const LrnArguments& a, const RunAll& run) {
  if (a.beta == 0.75f) return run(Normaliser<Beta::three_quarters>(a));
  if (a.beta == 0.5f) return run(Normaliser<Beta::half>(a));
  if (a.beta == 1.0f) return run(Normaliser<Beta::one>(a));
  run(Normaliser<Beta::any>(a));
}

// The sum of the squares of so many planes, `stride` apart.
template <typename D, typename V = hn::Vec<D>>
V sum_of_squares(D d, const float* from, std::int64_t stride, std::int64_t planes) {
  V x = hn::LoadU(d, from);
  V sum = hn::Mul(x, x);
  for (std::int64_t plane = 1; plane < planes; ++plane) {
    x = hn::LoadU(d, from + plane * stride);
    sum = hn::MulAdd(x, x, sum);
  }
  return sum;
}

// Row-major: a chunk of pixels in a few neighbouring channels at a time, whose planes stay in the L1 cache while windows move
// over them.
template <typename Normalise>
void planes(const LrnArguments& a, const Normalise normalised) {
  constexpr std::int64_t kPixels = 256;
  constexpr std::int64_t kChannels = 32;
  const auto pixels = a.height * a.width;
  const auto tower = a.channels / a.groups;
  const auto chunks = (pixels + kPixels - 1) / kPixels;
  const auto tiles = (tower + kChannels - 1) / kChannels;
#pragma omp parallel for schedule(static)
  for (std::int64_t task = 0; task < a.samples * a.groups * tiles * chunks; ++task) {
    const auto chunk = task % chunks * kPixels;
    const auto begin = task / chunks % tiles * kChannels;
    const auto end = std::min(begin + kChannels, tower);
    const auto start = task / chunks / tiles * tower * pixels + chunk;
    const auto count = std::min(kPixels, pixels - chunk);
    for (auto channel = begin; channel < end; ++channel) {
      const auto first = std::max<std::int64_t>(channel - a.reach.before, 0);
      const auto window = std::min(channel + a.reach.after + 1, tower) - first;
      const float* from = a.source + start + first * pixels;
      const auto own = start + channel * pixels;
      for_each_vector(count, [&](auto d, std::int64_t at) HWY_ATTR {
        const auto sum = window == 5 ? sum_of_squares(d, from + at, pixels, 5) : sum_of_squares(d, from + at, pixels, window);
        hn::StoreU(normalised(d, hn::LoadU(d, a.source + own + at), sum), d, a.destination + own + at);
      });
    }
  }
}

// The sum of `taps` neighbours, each one further on.
template <typename D, typename V = hn::Vec<D>>
V shifted_sum(D d, const float* from, std::int64_t taps) {
  V sum = hn::LoadU(d, from);
  for (std::int64_t tap = 1; tap < taps; ++tap) sum = hn::Add(sum, hn::LoadU(d, from + tap));
  return sum;
}

// Channels side by side, all of them or in blocks. The squares of a pixel's tower are laid out in a line between zeros, so that
// windows are sums of shifted loads; of several pixels at a time, as loads across fresh stores wait for these.
template <typename Normalise>
void lines(const LrnArguments& a, const Normalise normalised) {
  const auto pixels = a.height * a.width;
  const auto tower = a.channels / a.groups;
  const auto run = std::min(a.block, tower);  // channels of a pixel that lie side by side
  const auto before = std::min(a.reach.before, tower - 1);
  const auto window = before + std::min(a.reach.after, tower - 1) + 1;
  const auto line = tower + window;
  const auto chunks = (pixels + kLinePixels - 1) / kLinePixels;
#pragma omp parallel
  {
    float* squares = a.scratch + static_cast<std::uint64_t>(omp_get_thread_num()) * lrn_scratch_bytes(a, 1) / sizeof(float);
    std::fill_n(squares, kLinePixels * line, 0.0f);
#pragma omp for schedule(static)
    for (std::int64_t task = 0; task < a.samples * chunks * a.groups; ++task) {
      const auto first = task % a.groups * tower;
      const auto begin = task / a.groups % chunks * kLinePixels;
      const auto count = std::min(kLinePixels, pixels - begin);
      const auto start = task / a.groups / chunks * a.channels * pixels + first / a.block * a.block * pixels + first % a.block;
      for (std::int64_t pixel = 0; pixel < count; ++pixel) {
        const float* from = a.source + start + (begin + pixel) * a.block;
        float* to = squares + pixel * line + before;
        for (std::int64_t channel = 0; channel < tower; channel += run, from += a.block * pixels) {
          for_each_vector(run, [&](auto d, std::int64_t at) HWY_ATTR {
            const auto x = hn::LoadU(d, from + at);
            hn::StoreU(hn::Mul(x, x), d, to + channel + at);
          });
        }
      }
      for (std::int64_t pixel = 0; pixel < count; ++pixel) {
        auto own = start + (begin + pixel) * a.block;
        const float* from = squares + pixel * line;
        for (std::int64_t channel = 0; channel < tower; channel += run, own += a.block * pixels) {
          for_each_vector(run, [&](auto d, std::int64_t at) HWY_ATTR {
            const auto sum = window == 5 ? shifted_sum(d, from + channel + at, 5) : shifted_sum(d, from + channel + at, window);
            hn::StoreU(normalised(d, hn::LoadU(d, a.source + own + at), sum), d, a.destination + own + at);
          });
        }
      }
    }
  }
}

// Sums along each row first, then of those along each column.
template <typename Normalise>
void within_plane(const LrnArguments& a, const Normalise normalised, const float* source, float* destination, float* scratch) {
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
      hn::StoreU(normalised(d, x, sum), d, destination + row * a.width + at);
    });
  }
}

template <typename Normalise>
void within_maps(const LrnArguments& a, const Normalise normalised) {
  const auto pixels = a.height * a.width;
  const auto own = lrn_scratch_bytes(a, 1) / sizeof(float);
#pragma omp parallel
  {
    float* scratch = a.scratch + static_cast<std::uint64_t>(omp_get_thread_num()) * own;
#pragma omp for schedule(static)
    for (std::int64_t map = 0; map < a.samples * a.channels; ++map)
      within_plane(a, normalised, a.source + map * pixels, a.destination + map * pixels, scratch);
  }
}

void across_planes(const LrnArguments& a) {
  with_normaliser(a, [&](const auto& normalised) { planes(a, normalised); });
}
void across_lines(const LrnArguments& a) {
  with_normaliser(a, [&](const auto& normalised) { lines(a, normalised); });
}
void within_channel(const LrnArguments& a) {
  with_normaliser(a, [&](const auto& normalised) { within_maps(a, normalised); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

HWY_EXPORT(across_planes);
HWY_EXPORT(across_lines);
HWY_EXPORT(within_channel);

LrnKernel lrn_kernel(const LrnArguments& arguments, SimdLevel level) {
  if (arguments.region == LrnRegion::within_channel) return ALEXNET_SIMD(within_channel, level);
  return arguments.block == 0 ? ALEXNET_SIMD(across_planes, level) : ALEXNET_SIMD(across_lines, level);
}

std::uint64_t lrn_scratch_bytes(const LrnArguments& a, int threads) {
  std::int64_t floats = 0;
  if (a.region == LrnRegion::within_channel) {
    floats = a.height * a.width + a.width + a.reach.before + a.reach.after + 1;
  } else if (a.block > 0) {
    constexpr std::int64_t kLinePixels = 8;
    floats = kLinePixels * (a.channels / a.groups + a.reach.before + a.reach.after + 1);
  }
  const auto line = (static_cast<std::uint64_t>(floats) * sizeof(float) + 63) / 64 * 64;
  return line * static_cast<std::uint64_t>(threads);
}

}  // namespace alexnet
#endif
