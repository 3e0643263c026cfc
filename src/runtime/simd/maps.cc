#include "runtime/simd/maps.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/maps.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Float = hn::ScalableTag<float>;
using Single = hn::CappedTag<float, 1>;

std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Float())); }

// The sum of term(d, x) over the values: f32 within a piece, double over pieces.
template <typename Term>
double sum_of(const float* source, std::int64_t count, const Term& term) {
  constexpr std::int64_t kPiece = 4096;
  const Float d;
  const auto step = lanes();
  double total = 0;
  for (std::int64_t begin = 0; begin < count; begin += kPiece) {
    const auto end = std::min(begin + kPiece, count);
    auto a = hn::Zero(d);
    auto b = a;
    auto c = a;
    auto e = a;
    auto at = begin;
    for (; at + 4 * step <= end; at += 4 * step) {
      a = hn::Add(a, term(d, hn::LoadU(d, source + at)));
      b = hn::Add(b, term(d, hn::LoadU(d, source + at + step)));
      c = hn::Add(c, term(d, hn::LoadU(d, source + at + 2 * step)));
      e = hn::Add(e, term(d, hn::LoadU(d, source + at + 3 * step)));
    }
    for (; at + step <= end; at += step) a = hn::Add(a, term(d, hn::LoadU(d, source + at)));
    if (at < end) {
      // Through a buffer: a load beyond the last map may fault.
      const auto rest = static_cast<std::size_t>(end - at);
      HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)] = {};
      std::copy_n(source + at, rest, buffer);
      b = hn::Add(b, hn::IfThenElseZero(hn::FirstN(d, rest), term(d, hn::Load(d, buffer))));
    }
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e)))));
  }
  return total;
}

// The mean as the sum of two floats.
MapAffine split(double mean) {
  const auto high = static_cast<float>(mean);
  return {.mean = high, .mean_rest = static_cast<float>(mean - static_cast<double>(high))};
}

template <typename D, typename V = hn::Vec<D>>
V deviation(D d, V x, const MapAffine& affine) {
  return hn::Sub(hn::Sub(x, hn::Set(d, affine.mean)), hn::Set(d, affine.mean_rest));
}

// Sums are of differences to one of the values, which are small where the values are alike.
Moments moments(const float* source, std::int64_t count) {
  const auto n = static_cast<double>(count);
  const float first = source[0];
  const double apart = sum_of(source, count, [first](auto d, auto x) HWY_ATTR { return hn::Sub(x, hn::Set(d, first)); });
  const double mean = static_cast<double>(first) + apart / n;
  const MapAffine centre = split(mean);
  const double squares = sum_of(source, count, [centre](auto d, auto x) HWY_ATTR {
    const auto v = deviation(d, x, centre);
    return hn::Mul(v, v);
  });
  return {.count = count, .mean = mean, .squares = squares};
}

double mean_square(const float* source, std::int64_t count) {
  return sum_of(source, count, [](auto, auto x) HWY_ATTR { return hn::Mul(x, x); }) / static_cast<double>(count);
}

// Calls make(d, at) for what belongs at each place; the last vector may overlap the one before.
template <typename Make>
void fill(float* destination, std::int64_t count, const Make& make) {
  const Float d;
  const auto step = lanes();
  std::int64_t at = 0;
  for (; at + step <= count; at += step) hn::StoreU(make(d, at), d, destination + at);
  if (at == count) return;
  if (count >= step) return hn::StoreU(make(d, count - step), d, destination + count - step);
  for (; at < count; ++at) hn::StoreU(make(Single(), at), Single(), destination + at);
}

void affine(const float* source, float* destination, std::int64_t count, const MapAffine& a) {
  fill(destination, count, [&](auto d, std::int64_t at) HWY_ATTR {
    const auto y = hn::MulAdd(deviation(d, hn::LoadU(d, source + at), a), hn::Set(d, a.scale), hn::Set(d, a.offset));
    const auto least = hn::Set(d, a.least);
    return hn::IfThenElse(hn::Lt(y, least), least, y);  // unlike Max, NaN stays NaN for every instruction set
  });
}

void elementwise(const float* source, float* destination, std::int64_t count, const MapAffine& a, const float* scale,
                 const float* offset) {
  fill(destination, count, [&](auto d, std::int64_t at) HWY_ATTR {
    auto y = hn::Mul(deviation(d, hn::LoadU(d, source + at), a), hn::Set(d, a.scale));
    if (scale != nullptr) y = hn::Mul(y, hn::LoadU(d, scale + at));
    return offset == nullptr ? y : hn::Add(y, hn::LoadU(d, offset + at));
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

MapKernels map_kernels(SimdLevel level) {
  return {.moments = ALEXNET_SIMD(moments, level),
          .mean_square = ALEXNET_SIMD(mean_square, level),
          .affine = ALEXNET_SIMD(affine, level),
          .elementwise = ALEXNET_SIMD(elementwise, level)};
}

}  // namespace alexnet
#endif
