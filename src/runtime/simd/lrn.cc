#include "runtime/simd/lrn.h"

#include <omp.h>

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/lrn.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"
#include "runtime/simd/lrn-inl.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

// Calls run(d, at) so that each of [0, count) is in one of its vectors; the last one may overlap the one before.
template <typename RunVector>
void for_each_vector(std::int64_t count, const RunVector& run) {
  std::int64_t at = 0;
  for (; at + kLanes <= count; at += kLanes) run(Float(), at);
  if (at == count) return;
  if (count >= kLanes) return run(Float(), count - kLanes);
  for (; at < count; ++at) run(hn::CappedTag<float, 1>(), at);
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

// Planes of neighbouring channels, of which the first one is at `source`, and windows that reach two channels to either side:
// neighbours share squares and sums of pairs. So many channels of the tower come before and behind these. A vector of pixels at
// least.
template <typename Normalise>
void planes_abreast(const float* source, float* destination, std::int64_t pixels, std::int64_t count, std::int64_t before,
                    std::int64_t behind, const Normalise& normaliser) {
  const Float d;
  const Normalise normalised = normaliser;
  for (std::int64_t at = 0; at < count; at += kLanes) {
    at = std::min(at, count - kLanes);
    const auto square = [from = source + at, pixels](int i) HWY_ATTR {
      const Vector x = load(from + i * pixels);
      return hn::Mul(x, x);
    };
    Several<kAbreast + 4> squares;
    squares.at[0] = before > 1 ? square(-2) : hn::Zero(d);
    squares.at[1] = before > 0 ? square(-1) : hn::Zero(d);
    for (int i = 0; i < kAbreast; ++i) squares.at[i + 2] = square(i);
    squares.at[kAbreast + 2] = behind > 0 ? square(kAbreast) : hn::Zero(d);
    squares.at[kAbreast + 3] = behind > 1 ? square(kAbreast + 1) : hn::Zero(d);
    Several<kAbreast + 2> pairs;
    for (int i = 0; i < kAbreast + 2; ++i) pairs.at[i] = hn::Add(squares.at[i], squares.at[i + 1]);
    Several<kAbreast> sums;
    for (int i = 0; i < kAbreast; ++i) sums.at[i] = hn::Add(hn::Add(pairs.at[i], pairs.at[i + 2]), squares.at[i + 4]);
    normalised.several(source + at, sums, destination + at, pixels);
  }
}

// Row-major: a few neighbouring channels, as whoever made and will read them has them in its cache; of these a chunk of pixels of
// one after the other, so that the planes that windows share stay in the L1 cache.
template <typename Normalise>
void planes(const LrnArguments& a, const Normalise& normalised) {
  constexpr std::int64_t kChannels = 16;
  const auto pixels = a.height * a.width;
  const auto tower = a.channels / a.groups;
#pragma omp parallel
  {
    float* const sums = a.scratch + omp_get_thread_num() * kLrnPlanePixels;
#pragma omp for collapse(3) schedule(static)
    for (std::int64_t start = 0; start < a.samples * a.channels; start += tower) {
      for (std::int64_t begin = 0; begin < tower; begin += kChannels) {
        for (std::int64_t chunk = 0; chunk < pixels; chunk += kLrnPlanePixels) {
          const auto count = std::min(kLrnPlanePixels, pixels - chunk);
          const auto end = std::min(begin + kChannels, tower);
          auto channel = begin;
          if (a.reach.before == 2 && a.reach.after == 2 && count >= kLanes) {
            for (; channel + kAbreast <= end; channel += kAbreast) {
              const auto own = (start + channel) * pixels + chunk;
              planes_abreast(a.source + own, a.destination + own, pixels, count, channel, tower - channel - kAbreast, normalised);
            }
          }
          for (; channel < end; ++channel) {
            const auto first = std::max<std::int64_t>(channel - a.reach.before, 0);
            const auto window = std::min(channel + a.reach.after + 1, tower) - first;
            const float* from = a.source + (start + first) * pixels + chunk;
            for_each_vector(count, [&](auto d, std::int64_t at)
                                       HWY_ATTR { hn::StoreU(sum_of_squares(d, from + at, pixels, window), d, sums + at); });
            const auto own = (start + channel) * pixels + chunk;
            normalised(a.source + own, sums, a.destination + own, count);
          }
        }
      }
    }
  }
}

// Channels side by side, all of them or in blocks.
template <typename Normalise>
void lines(const LrnArguments& a, const Normalise& normalised) {
  const auto pixels = a.height * a.width;
#pragma omp parallel
  {
    const auto own = lrn_scratch_bytes(a, 1) / sizeof(float);
    const Lines windows(a, a.block, pixels, a.scratch + static_cast<std::uint64_t>(omp_get_thread_num()) * own);
#pragma omp for collapse(2) schedule(static)
    for (std::int64_t sample = 0; sample < a.samples; ++sample) {
      for (std::int64_t begin = 0; begin < pixels; begin += kLrnPixels) {
        const auto count = std::min(kLrnPixels, pixels - begin);
        const auto start = sample * a.channels * pixels + begin * a.block;
        windows.normalise(normalised, a.source + start, a.destination + start, count);
      }
    }
  }
}

// Sums along each row first, then of those along each column.
template <typename Normalise>
void within_plane(const LrnArguments& a, const Normalise& normalised, const float* source, float* destination, float* scratch) {
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
      hn::StoreU(sum, d, squares + at);
    });
    normalised(source + row * a.width, squares, destination + row * a.width, a.width);
  }
}

template <typename Normalise>
void within_maps(const LrnArguments& a, const Normalise& normalised) {
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
  with_normaliser(a, 1, 0, [&](const auto& normalised) { planes(a, normalised); });
}
void across_lines(const LrnArguments& a) {
  with_normaliser(a, 1, 0, [&](const auto& normalised) { lines(a, normalised); });
}
void within_channel(const LrnArguments& a) {
  with_normaliser(a, 1, 0, [&](const auto& normalised) { within_maps(a, normalised); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

LrnKernel lrn_kernel(const LrnArguments& arguments, SimdLevel level) {
  if (arguments.region == LrnRegion::within_channel) return ALEXNET_SIMD(within_channel, level);
  return arguments.block == 0 ? ALEXNET_SIMD(across_planes, level) : ALEXNET_SIMD(across_lines, level);
}

// The sums of pixels and what is read behind them; then for each a line of squares, with the zeros around it.
std::int64_t lrn_line_floats(std::int64_t channels, const LrnReach& reach) {
  const auto line = channels + std::min(reach.before, channels) + std::min(reach.after, channels) + 16;
  return (kLrnPixels * channels + 16 + kLrnPixels * line + 15) / 16 * 16;
}

std::uint64_t lrn_scratch_bytes(const LrnArguments& a, int threads) {
  std::int64_t floats = 0;
  if (a.region == LrnRegion::within_channel) {
    floats = a.height * a.width + a.width + a.reach.before + a.reach.after + 16;
  } else if (a.block > 0) {
    floats = lrn_line_floats(a.channels, a.reach);
  } else {
    floats = kLrnPlanePixels;
  }
  const auto line = (static_cast<std::uint64_t>(floats) * sizeof(float) + 63) / 64 * 64;
  return line * static_cast<std::uint64_t>(threads);
}

}  // namespace alexnet
#endif
