#include "runtime/simd/linear.h"

#include <omp.h>

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/linear.cc"
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
using Vector = hn::Vec<Float>;

#if HWY_TARGET <= HWY_AVX3
constexpr std::int64_t kTileRows = 6;  // with 4 outputs 24 of 32 registers hold sums
#else
constexpr std::int64_t kTileRows = 3;  // 12 of 16
#endif
constexpr std::int64_t kTileOutputs = 4;

// What a thread works on at once. Source columns stay in the L1 cache while a tile runs; outputs share them from L2.
constexpr std::int64_t kBlockColumns = 512;
constexpr std::int64_t kBlockTiles = 8;

std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Float())); }

// The sums of `kRows` rows with `kOutputs` outputs over columns [0, columns), added to those in `sums` (a vector each).
template <std::int64_t kRows, std::int64_t kOutputs>
void tile(const float* HWY_RESTRICT source, const float* HWY_RESTRICT weight, std::int64_t stride, std::int64_t columns,
          float* HWY_RESTRICT sums) {
  const Float d;
  const auto step = lanes();
  Vector sum[kRows][kOutputs];
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t o = 0; o < kOutputs; ++o) sum[r][o] = hn::Load(d, sums + (r * kTileOutputs + o) * step);
  const auto add = [&](const auto& load, std::int64_t at) HWY_ATTR {
    Vector x[kRows];
    for (std::int64_t r = 0; r < kRows; ++r) x[r] = load(source + r * stride + at);
    for (std::int64_t o = 0; o < kOutputs; ++o) {
      const Vector w = load(weight + o * stride + at);
      for (std::int64_t r = 0; r < kRows; ++r) sum[r][o] = hn::MulAdd(x[r], w, sum[r][o]);
    }
  };
  std::int64_t at = 0;
  for (; at + step <= columns; at += step) add([d](const float* p) HWY_ATTR { return hn::LoadU(d, p); }, at);
  if (at < columns) {
    // Through a buffer: a load beyond the last row of a mapped file may fault.
    const auto rest = static_cast<std::size_t>(columns - at);
    add(
        [d, rest](const float* p) HWY_ATTR {
          HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)] = {};
          std::copy_n(p, rest, buffer);
          return hn::Load(d, buffer);
        },
        at);
  }
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t o = 0; o < kOutputs; ++o) hn::Store(sum[r][o], d, sums + (r * kTileOutputs + o) * step);
}

template <std::int64_t kOutputs>
void all_rows(const LinearArguments& a, std::int64_t output, std::int64_t column, std::int64_t columns, float* sums) {
  const float* weight = a.weight + output * a.in + column;
  std::int64_t row = 0;
  const auto run = [&]<std::int64_t kRows>() HWY_ATTR {
    for (; row + kRows <= a.rows; row += kRows)
      tile<kRows, kOutputs>(a.source + row * a.in + column, weight, a.in, columns, sums + row * kTileOutputs * lanes());
  };
  run.template operator()<kTileRows>();
  if constexpr (kTileRows > 3) run.template operator()<3>();
  run.template operator()<1>();
}

void finish(const LinearArguments& a, std::int64_t output, std::int64_t outputs, const float* sums) {
  const Float d;
  for (std::int64_t row = 0; row < a.rows; ++row) {
    for (std::int64_t o = 0; o < outputs; ++o) {
      const auto sum = hn::Load(d, sums + (row * kTileOutputs + o) * lanes());
      float value = hn::GetLane(hn::SumOfLanes(d, sum));
      if (a.bias != nullptr) value += a.bias[output + o];
      // Not std::max: NaN stays NaN.
      if (a.relu && value < 0) value = 0;
      a.destination[row * a.out + output + o] = value;
    }
  }
}

void block(const LinearArguments& a, std::int64_t begin, std::int64_t end, float* sums) {
  const auto stride = a.rows * kTileOutputs * lanes();
  const auto tiles = (end - begin + kTileOutputs - 1) / kTileOutputs;
  std::fill_n(sums, tiles * stride, 0.0f);
  // With one tile of rows there is nothing to share between tiles, and long runs through the weights pay.
  const auto block_columns = a.rows <= kTileRows ? a.in : kBlockColumns;
  for (std::int64_t column = 0; column < a.in; column += block_columns) {
    const auto columns = std::min(block_columns, a.in - column);
    for (std::int64_t t = 0; t < tiles; ++t) {
      const auto output = begin + t * kTileOutputs;
      switch (std::min(kTileOutputs, end - output)) {
        case 4: all_rows<4>(a, output, column, columns, sums + t * stride); break;
        case 3: all_rows<3>(a, output, column, columns, sums + t * stride); break;
        case 2: all_rows<2>(a, output, column, columns, sums + t * stride); break;
        default: all_rows<1>(a, output, column, columns, sums + t * stride); break;
      }
    }
  }
  for (std::int64_t t = 0; t < tiles; ++t) {
    const auto output = begin + t * kTileOutputs;
    finish(a, output, std::min(kTileOutputs, end - output), sums + t * stride);
  }
}

void linear(const LinearArguments& a) {
  const auto width = kBlockTiles * kTileOutputs;
  const auto blocks = (a.out + width - 1) / width;
#pragma omp parallel
  {
    const auto own = static_cast<std::uint64_t>(omp_get_thread_num()) * linear_scratch_bytes(a.rows, 1);
    float* sums = reinterpret_cast<float*>(a.scratch + own);
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) block(a, b * width, std::min(a.out, (b + 1) * width), sums);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

HWY_EXPORT(linear);

LinearKernel linear_kernel(SimdLevel level) { return ALEXNET_SIMD(linear, level); }

std::uint64_t linear_scratch_bytes(std::int64_t rows, int threads) {
  constexpr std::uint64_t kBlockOutputs = 8 * 4;
  constexpr std::uint64_t kLargestVector = 64;
  return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(threads) * kBlockOutputs * kLargestVector;
}

}  // namespace alexnet
#endif
