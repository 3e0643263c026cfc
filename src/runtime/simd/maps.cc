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

// A sum over the values to which add(d, sum, x) adds one: f32 within a piece, double over pieces.
template <typename Add>
double sum_of(const float* source, std::int64_t count, const Add& add) {
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
      a = add(d, a, hn::LoadU(d, source + at));
      b = add(d, b, hn::LoadU(d, source + at + step));
      c = add(d, c, hn::LoadU(d, source + at + 2 * step));
      e = add(d, e, hn::LoadU(d, source + at + 3 * step));
    }
    for (; at + step <= end; at += step) a = add(d, a, hn::LoadU(d, source + at));
    if (at < end && end >= step) {
      // The last vector, but for what it has in common with the one before: a load beyond the last map may fault.
      const auto before = hn::FirstN(d, static_cast<std::size_t>(at + step - end));
      b = hn::IfThenElse(before, b, add(d, b, hn::LoadU(d, source + end - step)));
    } else if (at < end) {
      const auto rest = static_cast<std::size_t>(end - at);
      HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)] = {};
      std::copy_n(source + at, rest, buffer);
      b = hn::IfThenElse(hn::FirstN(d, rest), add(d, b, hn::Load(d, buffer)), b);
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
Moments moments_of(const float* source, std::int64_t count) {
  const auto n = static_cast<double>(count);
  const float first = source[0];
  const double apart =
      sum_of(source, count, [first](auto d, auto sum, auto x) HWY_ATTR { return hn::Add(sum, hn::Sub(x, hn::Set(d, first))); });
  const double mean = static_cast<double>(first) + apart / n;
  const MapAffine centre = split(mean);
  const double squares = sum_of(source, count, [centre](auto d, auto sum, auto x) HWY_ATTR {
    const auto v = deviation(d, x, centre);
    return hn::MulAdd(v, v, sum);
  });
  return {.count = count, .mean = mean, .squares = squares};
}

void moments(const float* source, std::int64_t count, std::span<Moments> maps) {
  for (Moments& map : maps) {
    map = moments_of(source, count);
    source += count;
  }
}

// Calls make(d, at) for what belongs at each place; the first and the last vector may overlap others, so that those are aligned:
// stores across two lines of the cache take twice as long.
template <typename Make>
void fill(float* destination, std::int64_t count, const Make& make) {
  const Float d;
  const auto step = lanes();
  std::int64_t at = 0;
  if (count >= step) {
    hn::StoreU(make(d, at), d, destination);
    at = step - static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(destination) / sizeof(float)) % step;
#pragma GCC unroll 4
    for (; at + step <= count; at += step) hn::StoreU(make(d, at), d, destination + at);
    if (at < count) hn::StoreU(make(d, count - step), d, destination + count - step);
    return;
  }
  for (; at < count; ++at) hn::StoreU(make(Single(), at), Single(), destination + at);
}

// The numbers are taken by value: for all a compiler knows, those of the caller could change with every store.
template <bool kCentred>
void scaled(const float* source, float* destination, std::int64_t count, const MapAffine& affine) {
  fill(destination, count, [source, a = affine](auto d, std::int64_t at) HWY_ATTR {
    const auto x = hn::LoadU(d, source + at);
    return hn::MulAdd(kCentred ? deviation(d, x, a) : x, hn::Set(d, a.scale), hn::Set(d, a.offset));
  });
}

void affine(const float* source, float* destination, std::int64_t count, std::span<const MapAffine> maps) {
  for (const MapAffine& map : maps) {
    const bool centred = map.mean != 0 || map.mean_rest != 0;
    centred ? scaled<true>(source, destination, count, map) : scaled<false>(source, destination, count, map);
    source += count;
    destination += count;
  }
}

void elementwise(const float* source, float* destination, std::int64_t count, const MapAffine& affine, const float* scale,
                 const float* offset) {
  fill(destination, count, [=, a = affine](auto d, std::int64_t at) HWY_ATTR {
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
          .affine = ALEXNET_SIMD(affine, level),
          .elementwise = ALEXNET_SIMD(elementwise, level)};
}

}  // namespace alexnet
#endif
