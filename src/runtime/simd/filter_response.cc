#include "runtime/simd/filter_response.h"

#include <algorithm>
#include <numeric>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/filter_response.cc"
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
using Double = hn::ScalableTag<double>;

std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Float())); }

// How many values lie between this one and the vector's boundary before it.
std::int64_t past_boundary(const float* address) {
  return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(address) / sizeof(float)) % lanes();
}

auto first(std::int64_t count) { return hn::FirstN(Float(), static_cast<std::size_t>(count)); }

// Loads are aligned, since those across two lines of the cache take twice as long. No bits depend on the address: it rotates the
// lanes, of which SumOfLanes adds halves until one is left, and the four sums.
float sum_of_squares(const float* source, std::int64_t count) {
  const Float d;
  const auto step = lanes();
  if (count < step) return std::inner_product(source, source + count, source, 0.0f);
  const auto head = past_boundary(source);
  const auto end = head + count;
  source -= head;
  const auto add = [&](auto sum, auto x) HWY_ATTR { return hn::MulAdd(x, x, sum); };
  auto a = add(hn::Zero(d), hn::MaskedLoad(hn::Not(first(head)), d, source));
  auto b = hn::Zero(d);
  auto c = b;
  auto e = b;
  auto at = step;
  for (; at + 4 * step <= end; at += 4 * step) {
    b = add(b, hn::Load(d, source + at));
    c = add(c, hn::Load(d, source + at + step));
    e = add(e, hn::Load(d, source + at + 2 * step));
    a = add(a, hn::Load(d, source + at + 3 * step));
  }
  for (; at + step <= end; at += step) {
    const auto next = add(b, hn::Load(d, source + at));
    b = c, c = e, e = a, a = next;
  }
  if (at < end) b = add(b, hn::MaskedLoad(first(end - at), d, source + at));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, c), hn::Add(b, e))));
}

double squares(const float* source, std::int64_t count) {
  constexpr std::int64_t kPiece = 4096;
  double total = 0;
  for (; count >= kPiece + lanes(); count -= kPiece, source += kPiece) total += static_cast<double>(sum_of_squares(source, kPiece));
  return total + static_cast<double>(sum_of_squares(source, count));
}

template <typename D>
auto scaled(D d, float scale, float offset, float least) {
  return [scale = hn::Set(d, scale), offset = hn::Set(d, offset), least = hn::Set(d, least)](auto x) HWY_ATTR {
    const auto y = hn::MulAdd(x, scale, offset);
    // NaN stays NaN: of AVX the maximum is then the second one; elsewhere it need not be.
    return HWY_TARGET <= HWY_AVX2 ? hn::Max(least, y) : hn::IfThenElse(hn::Lt(y, least), least, y);
  };
}

// A few maps that stay in the L1 cache between the two passes, so that the sum, the root and the quotient of one do not hold up
// the next. All are written as one stream of aligned vectors, also where one map ends and the next begins; the first and the last
// vector may overlap others.
void normalise(const FilterResponse& of, const float* source, float* destination, std::int64_t channel, std::int64_t maps,
               std::int64_t pixels) {
  const Float d;
  const Double wide;
  const auto step = lanes();
  HWY_ALIGN double scale[FilterResponse::kRoom] = {};
  for (std::int64_t i = 0; i < maps; ++i) scale[i] = squares(source + i * pixels, pixels);
  const auto each = hn::Set(wide, 1 / static_cast<double>(pixels));
  for (std::int64_t i = 0; i < maps; i += static_cast<std::int64_t>(hn::Lanes(wide))) {
    const auto mean = hn::MulAdd(hn::Load(wide, scale + i), each, hn::LoadU(wide, of.epsilon.data() + channel + i));
    hn::Store(hn::Div(hn::LoadU(wide, of.scale.data() + channel + i), hn::Sqrt(mean)), wide, scale + i);
  }
  const float* const offset = of.offset.data() + channel;
  const float* const least = of.least.data() + channel;
  const auto map = [&](auto tag, std::int64_t i)
                       HWY_ATTR { return scaled(tag, static_cast<float>(scale[i]), offset[i], least[i]); };
  if (pixels < step) {
    const Single one;
    for (std::int64_t i = 0; i < maps; ++i)
      for (auto to_go = pixels; to_go > 0; --to_go) hn::StoreU(map(one, i)(hn::LoadU(one, source++)), one, destination++);
    return;
  }
  hn::StoreU(map(d, 0)(hn::LoadU(d, source)), d, destination);
  auto at = step - past_boundary(destination);
  auto end = pixels;
  for (std::int64_t i = 0; i < maps; ++i) {
    const auto here = map(d, i);
#pragma GCC unroll 4
    for (; at + step <= end; at += step) hn::StoreU(here(hn::LoadU(d, source + at)), d, destination + at);
    if (i + 1 == maps) {
      hn::StoreU(here(hn::LoadU(d, source + end - step)), d, destination + end - step);
    } else {
      const auto x = hn::LoadU(d, source + at);
      hn::StoreU(hn::IfThenElse(first(end - at), here(x), map(d, i + 1)(x)), d, destination + at);
      at += step;
      end += pixels;
    }
  }
}

void filter_response(const FilterResponse& of, const float* source, float* destination, std::int64_t samples, std::int64_t channels,
                     std::int64_t pixels) {
  const auto few = std::clamp<std::int64_t>(4096 / pixels, 1, FilterResponse::kRoom);
#pragma omp parallel for collapse(2) schedule(static)
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    for (std::int64_t channel = 0; channel < channels; channel += few) {
      const auto place = (sample * channels + channel) * pixels;
      normalise(of, source + place, destination + place, channel, std::min(few, channels - channel), pixels);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

FilterResponseKernel filter_response_kernel(SimdLevel level) { return ALEXNET_SIMD(filter_response, level); }

}  // namespace alexnet
#endif
