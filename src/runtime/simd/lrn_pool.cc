#include "runtime/simd/lrn_pool.h"

#include <omp.h>

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/lrn_pool.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"
#include "runtime/simd/lrn-inl.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

template <typename D, typename Element>
HWY_INLINE hn::Vec<D> largest(D d, const Element* from, std::int64_t stride, std::int64_t taps) {
  auto result = hn::LoadU(d, from);
  for (std::int64_t tap = 1; tap < taps; ++tap) result = hn::Max(result, hn::LoadU(d, from + tap * stride));
  return result;
}

// The largest of so many rows of `count` elements, `stride` apart.
template <typename Element>
void take_largest(const Element* from, std::int64_t stride, std::int64_t taps, Element* to, std::int64_t count) {
  const hn::ScalableTag<Element> d;
  const hn::CappedTag<Element, 1> single;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  const auto take = [&](std::int64_t at) HWY_ATTR {
    // Three taps are what networks have.
    hn::StoreU(taps == 3 ? largest(d, from + at, stride, 3) : largest(d, from + at, stride, taps), d, to + at);
  };
  std::int64_t at = 0;
  for (; at + step <= count; at += step) take(at);
  if (at == count) return;
  if (count >= step) return take(count - step);
  for (; at < count; ++at) hn::StoreU(largest(single, from + at, stride, taps), single, to + at);
}

template <typename Element>
class Rows {
 public:
  Rows(const LrnPoolArguments& a, std::byte* scratch)
      : a_(a),
        source_(reinterpret_cast<const Element*>(a.source)),
        windows_(a, a.channels, a.height * a.width, reinterpret_cast<float*>(scratch)),
        normalised_(reinterpret_cast<Element*>(scratch) +
                    lrn_line_floats(a.channels, a.reach) * static_cast<std::int64_t>(sizeof(float) / sizeof(Element))),
        pooled_(normalised_ + a.width * a.channels) {}

  template <typename Normalise>
  void normalise(const Normalise& normalised, std::int64_t row, Element* to) const {
    const Element* from = source_ + row * a_.width * a_.channels;
    for (std::int64_t x = 0; x < a_.width; x += kLrnPixels) {
      const auto count = std::min(kLrnPixels, a_.width - x);
      const auto at = x * a_.channels;
      windows_.normalise(normalised, from + at, to + at, count);
    }
  }

  // A row that is normalised and pooled in itself, kept until `kernel` rows further.
  template <typename Normalise>
  void pool(const Normalise& normalised, std::int64_t row, std::int64_t slot) {
    normalise(normalised, row, normalised_);
    for (std::int64_t column = 0; column < a_.output[1]; ++column) {
      const auto left = column * a_.window.stride[1] - a_.window.padding[1];
      const auto begin = std::max<std::int64_t>(left, 0);
      const auto end = std::min(left + a_.window.kernel[1], a_.width);
      take_largest(normalised_ + begin * a_.channels, a_.channels, end - begin,
                   pooled_ + slot * pooled_row() + column * a_.channels, a_.channels);
    }
  }

  void largest_of_kept(Element* to) const { take_largest(pooled_, pooled_row(), a_.window.kernel[0], to, pooled_row()); }

  std::int64_t pooled_row() const { return a_.output[1] * a_.channels; }

 private:
  const LrnPoolArguments& a_;
  const Element* source_;
  Lines windows_;
  Element* normalised_;  // a row
  Element* pooled_;      // as many rows as the pool's window has
};

template <typename Element, typename Normalise>
void run(const LrnPoolArguments& a, const Normalise& normalised) {
  auto* const destination = reinterpret_cast<Element*>(a.destination);
  const auto kernel = a.window.kernel[0];
  const bool pools = a.window.kernel != Extent2{1, 1} || a.window.stride != Extent2{1, 1};
#pragma omp parallel
  {
    const auto own = lrn_pool_scratch_bytes(a, sizeof(Element), 1);
    Rows<Element> rows(a, a.scratch + static_cast<std::uint64_t>(omp_get_thread_num()) * own);
    // Each thread has rows that follow each other: those that two windows share are normalised once.
    std::int64_t done = -a.window.padding[0];
#pragma omp for schedule(static)
    for (std::int64_t row = 0; row < a.output[0]; ++row) {
      Element* const to = destination + row * rows.pooled_row();
      if (!pools) {
        rows.normalise(normalised, row, to);
        continue;
      }
      // Beyond the borders stand copies of the row at the border, which is in the window: the maximum does not mind.
      const auto top = row * a.window.stride[0] - a.window.padding[0];
      for (done = std::max(done, top); done < top + kernel; ++done)
        rows.pool(normalised, std::clamp<std::int64_t>(done, 0, a.height - 1), (done + a.window.padding[0]) % kernel);
      rows.largest_of_kept(to);
    }
  }
}

void lrn_pool(const LrnPoolArguments& a) {
  with_normaliser(a, 1, 0, [&](const auto& normalised) { run<float>(a, normalised); });
}
void u8_lrn_pool(const LrnPoolArguments& a) {
  with_normaliser(a, a.scale, a.most, [&](const auto& normalised) { run<std::uint8_t>(a, normalised); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

LrnPoolKernel lrn_pool_kernel(SimdLevel level) { return ALEXNET_SIMD(lrn_pool, level); }
LrnPoolKernel u8_lrn_pool_kernel(SimdLevel level) { return ALEXNET_SIMD(u8_lrn_pool, level); }

std::uint64_t lrn_pool_scratch_bytes(const LrnPoolArguments& a, std::uint64_t element_bytes, int threads) {
  const auto line = static_cast<std::uint64_t>(lrn_line_floats(a.channels, a.reach)) * sizeof(float);
  const auto rows = static_cast<std::uint64_t>((a.width + a.window.kernel[0] * a.output[1]) * a.channels) * element_bytes;
  return static_cast<std::uint64_t>(threads) * (line + (rows + 63) / 64 * 64);
}

}  // namespace alexnet
#endif
