#include "runtime/simd/contrast.h"

#include <omp.h>

#include <algorithm>

#include "runtime/simd/maps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/contrast.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

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

// The Gaussian and what is present of it at borders are both products over the two axes, so one axis goes after the other.
class Group {
 public:
  Group(const ContrastArguments& a, float* scratch)
      : a_(a),
        row_(a.width + 2 * a.reach),
        plane_(scratch),
        blurred_(scratch + a.height * a.width),
        padded_(blurred_ + a.height * a.width) {
    std::fill_n(padded_, row_, 0.0f);
  }

  void normalise(const float* source, float* destination, const MapKernels& maps) {
    const auto pixels = a_.height * a_.width;
    const auto all = pixels * a_.planes;
    const double mean = mean_of(source, all, maps);
    const auto centre = static_cast<float>(mean);
    const auto rest = static_cast<float>(mean - static_cast<double>(centre));
    average(source, [=](auto d, auto x) HWY_ATTR { return hn::Sub(hn::Sub(x, hn::Set(d, centre)), hn::Set(d, rest)); });
    for (std::int64_t from = 0; from < all; from += pixels) {
      for_each_vector(pixels, [&](auto d, std::int64_t at) HWY_ATTR {
        const auto x = hn::Sub(hn::Sub(hn::LoadU(d, source + from + at), hn::Set(d, centre)), hn::Set(d, rest));
        hn::StoreU(hn::Sub(x, hn::LoadU(d, plane_ + at)), d, destination + from + at);
      });
    }
    if (!a_.divide) return;
    average(destination, [](auto, auto v) HWY_ATTR { return hn::Mul(v, v); });
    for_each_vector(pixels,
                    [&](auto d, std::int64_t at) HWY_ATTR { hn::StoreU(hn::Sqrt(hn::LoadU(d, plane_ + at)), d, plane_ + at); });
    const auto least = std::max(static_cast<float>(mean_of(plane_, pixels, maps)), a_.epsilon);
    for (std::int64_t from = 0; from < all; from += pixels) {
      for_each_vector(pixels, [&](auto d, std::int64_t at) HWY_ATTR {
        const auto v = hn::LoadU(d, destination + from + at);
        hn::StoreU(hn::Div(v, hn::Max(hn::LoadU(d, plane_ + at), hn::Set(d, least))), d, destination + from + at);
      });
    }
  }

 private:
  static double mean_of(const float* source, std::int64_t count, const MapKernels& maps) {
    Moments moments;
    maps.moments(source, count, std::span(&moments, 1));
    return moments.mean;
  }

  // plane_ becomes the weighted mean of term(d, x) around each pixel, over all planes.
  template <typename Term>
  void average(const float* source, const Term& term) {
    const auto pixels = a_.height * a_.width;
    const float share = 1.0f / static_cast<float>(a_.planes);
    for (std::int64_t row = 0; row < a_.height; ++row) {
      const auto start = row * a_.width;
      for_each_vector(a_.width, [&](auto d, std::int64_t at) HWY_ATTR {
        auto sum = hn::Zero(d);
        for (std::int64_t plane = 0; plane < a_.planes; ++plane)
          sum = hn::Add(sum, term(d, hn::LoadU(d, source + plane * pixels + start + at)));
        hn::StoreU(hn::Mul(sum, hn::Set(d, share)), d, padded_ + a_.reach + at);
      });
      for_each_vector(a_.width, [&](auto d, std::int64_t at) HWY_ATTR {
        auto sum = hn::Zero(d);
        for (auto tap = -a_.reach; tap <= a_.reach; ++tap) {
          sum = hn::MulAdd(hn::Set(d, a_.gaussian[tap < 0 ? -tap : tap]), hn::LoadU(d, padded_ + a_.reach + at + tap), sum);
        }
        hn::StoreU(hn::Mul(sum, hn::LoadU(d, a_.of_columns + at)), d, blurred_ + start + at);
      });
    }
    for (std::int64_t row = 0; row < a_.height; ++row) {
      const auto begin = std::max<std::int64_t>(row - a_.reach, 0);
      const auto end = std::min(row + a_.reach + 1, a_.height);
      for_each_vector(a_.width, [&](auto d, std::int64_t at) HWY_ATTR {
        auto sum = hn::Zero(d);
        for (auto from = begin; from < end; ++from) {
          const auto weight = a_.gaussian[from < row ? row - from : from - row];
          sum = hn::MulAdd(hn::Set(d, weight), hn::LoadU(d, blurred_ + from * a_.width + at), sum);
        }
        hn::StoreU(hn::Mul(sum, hn::Set(d, a_.of_rows[row])), d, plane_ + row * a_.width + at);
      });
    }
  }

  const ContrastArguments& a_;
  std::int64_t row_;
  float* plane_;
  float* blurred_;
  float* padded_;  // a row between zeros
};

void contrast(const ContrastArguments& a, const MapKernels& maps) {
  const auto size = a.planes * a.height * a.width;
#pragma omp parallel
  {
    const auto own = contrast_scratch_bytes(a, 1) / sizeof(float);
    Group group(a, a.scratch + static_cast<std::uint64_t>(omp_get_thread_num()) * own);
#pragma omp for schedule(static)
    for (std::int64_t g = 0; g < a.groups; ++g) group.normalise(a.source + g * size, a.destination + g * size, maps);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

ContrastKernel contrast_kernel(SimdLevel level) { return ALEXNET_SIMD(contrast, level); }

std::uint64_t contrast_scratch_bytes(const ContrastArguments& a, int threads) {
  const auto floats = 2 * a.height * a.width + a.width + 2 * a.reach;
  return (static_cast<std::uint64_t>(floats) * sizeof(float) + 63) / 64 * 64 * static_cast<std::uint64_t>(threads);
}

}  // namespace alexnet
#endif
