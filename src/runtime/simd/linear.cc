#include "runtime/simd/linear.h"

#include <omp.h>

#include <algorithm>
#include <type_traits>

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

// How far ahead weights are fetched, in bytes, on long runs: one row takes 8 % less time on a core of a Cascade Lake, the same from
// 512 bytes to 4096.
constexpr std::size_t kAhead = 1024;

// A vector of weights in each form in which they are stored.
HWY_INLINE Vector load(const float* p) { return hn::LoadU(Float(), p); }
HWY_INLINE Vector load(const hwy::bfloat16_t* p) {
  return hn::PromoteTo(Float(), hn::LoadU(hn::Rebind<hwy::bfloat16_t, Float>(), p));
}
HWY_INLINE Vector load(const hwy::float16_t* p) {
#if HWY_TARGET <= HWY_AVX2
  return hn::PromoteTo(Float(), hn::LoadU(hn::Rebind<hwy::float16_t, Float>(), p));
#else
  // Highway's own way takes infinities for numbers. The product moves the exponent, also that of subnormal numbers.
  const hn::RebindToUnsigned<Float> bits;
  const auto half = hn::PromoteTo(bits, hn::LoadU(hn::Rebind<std::uint16_t, Float>(), reinterpret_cast<const std::uint16_t*>(p)));
  const auto magnitude = hn::ShiftLeft<13>(hn::And(half, hn::Set(bits, 0x7FFF)));
  const auto infinity = hn::BitCast(Float(), hn::Set(bits, 0x7C00 << 13));
  const auto finite = hn::Mul(hn::BitCast(Float(), magnitude), hn::Set(Float(), 0x1p112f));
  const auto other = hn::BitCast(Float(), hn::Or(magnitude, hn::Set(bits, 0x7F800000)));
  const auto value = hn::IfThenElse(hn::Lt(hn::BitCast(Float(), magnitude), infinity), finite, other);
  return hn::Or(value, hn::BitCast(Float(), hn::ShiftLeft<16>(hn::And(half, hn::Set(bits, 0x8000)))));
#endif
}

// Of the last `count` elements of a row, through a buffer: a load beyond the last row of a mapped file may fault.
template <typename T>
HWY_INLINE Vector load_rest(const T* p, std::size_t count) {
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(float)] = {};
  std::copy_n(p, count, buffer);
  return load(buffer);
}

std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Float())); }

// The sums of `kRows` rows with `kOutputs` outputs over columns [0, columns), added to those in `sums` (a vector each).
template <std::int64_t kRows, std::int64_t kOutputs, typename T>
void tile(const float* HWY_RESTRICT source, std::int64_t source_stride, const T* HWY_RESTRICT weight, std::int64_t weight_stride,
          std::int64_t columns, std::int64_t ahead, float* HWY_RESTRICT sums) {
  const Float d;
  const auto step = lanes();
  Vector sum[kRows][kOutputs];
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t o = 0; o < kOutputs; ++o) sum[r][o] = hn::Load(d, sums + (r * kTileOutputs + o) * step);
  const auto add = [&](const auto& take, std::int64_t at) HWY_ATTR {
    Vector x[kRows];
    for (std::int64_t r = 0; r < kRows; ++r) x[r] = take(source + r * source_stride + at);
    for (std::int64_t o = 0; o < kOutputs; ++o) {
      __builtin_prefetch(weight + o * weight_stride + at + ahead);
      const Vector w = take(weight + o * weight_stride + at);
      for (std::int64_t r = 0; r < kRows; ++r) sum[r][o] = hn::MulAdd(x[r], w, sum[r][o]);
    }
  };
  std::int64_t at = 0;
  for (; at + step <= columns; at += step) add([](const auto* p) HWY_ATTR { return load(p); }, at);
  const auto rest = static_cast<std::size_t>(columns - at);
  if (rest > 0) add([rest](const auto* p) HWY_ATTR { return load_rest(p, rest); }, at);
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t o = 0; o < kOutputs; ++o) hn::Store(sum[r][o], d, sums + (r * kTileOutputs + o) * step);
}

template <std::int64_t kOutputs, typename T>
void all_rows(const LinearArguments& a, std::int64_t column, std::int64_t columns, const T* weight, std::int64_t stride,
              std::int64_t ahead, float* sums) {
  // Tiles alike, instead of full ones and a small rest.
  const auto tiles = (a.rows + kTileRows - 1) / kTileRows;
  for (std::int64_t t = 0, row = 0; t < tiles; ++t) {
    const auto rows = (a.rows - row + tiles - t - 1) / (tiles - t);
    const float* source = a.source + row * a.in + column;
    float* to = sums + row * kTileOutputs * lanes();
    switch (rows) {
      case 6: tile<std::min<std::int64_t>(6, kTileRows), kOutputs>(source, a.in, weight, stride, columns, ahead, to); break;
      case 5: tile<std::min<std::int64_t>(5, kTileRows), kOutputs>(source, a.in, weight, stride, columns, ahead, to); break;
      case 4: tile<std::min<std::int64_t>(4, kTileRows), kOutputs>(source, a.in, weight, stride, columns, ahead, to); break;
      case 3: tile<3, kOutputs>(source, a.in, weight, stride, columns, ahead, to); break;
      case 2: tile<2, kOutputs>(source, a.in, weight, stride, columns, ahead, to); break;
      default: tile<1, kOutputs>(source, a.in, weight, stride, columns, ahead, to); break;
    }
    row += rows;
  }
}

// Narrow weights that many rows share are widened once, into `wide`; those of the next tile are fetched meanwhile.
template <std::int64_t kOutputs, typename T>
void outputs(const LinearArguments& a, std::int64_t output, std::int64_t column, std::int64_t columns, float* wide, float* sums) {
  const T* weight = reinterpret_cast<const T*>(a.weight) + output * a.in + column;
  if (a.rows <= kTileRows) return all_rows<kOutputs>(a, column, columns, weight, a.in, kAhead / sizeof(T), sums);
  if constexpr (std::is_same_v<T, float>) return all_rows<kOutputs>(a, column, columns, weight, a.in, /*ahead=*/0, sums);
  const auto next_tile = kTileOutputs * a.in;
  for (std::int64_t o = 0; o < kOutputs; ++o) {
    const T* from = weight + o * a.in;
    float* to = wide + o * kBlockColumns;
    std::int64_t at = 0;
    for (; at + lanes() <= columns; at += lanes()) {
      __builtin_prefetch(from + at + next_tile);
      hn::Store(load(from + at), Float(), to + at);
    }
    const auto rest = static_cast<std::size_t>(columns - at);
    if (rest > 0) hn::Store(load_rest(from + at, rest), Float(), to + at);
  }
  all_rows<kOutputs>(a, column, columns, wide, kBlockColumns, /*ahead=*/0, sums);
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

template <typename T>
void block(const LinearArguments& a, std::int64_t begin, std::int64_t end, float* wide, float* sums) {
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
        case 4: outputs<4, T>(a, output, column, columns, wide, sums + t * stride); break;
        case 3: outputs<3, T>(a, output, column, columns, wide, sums + t * stride); break;
        case 2: outputs<2, T>(a, output, column, columns, wide, sums + t * stride); break;
        default: outputs<1, T>(a, output, column, columns, wide, sums + t * stride); break;
      }
    }
  }
  for (std::int64_t t = 0; t < tiles; ++t) {
    const auto output = begin + t * kTileOutputs;
    finish(a, output, std::min(kTileOutputs, end - output), sums + t * stride);
  }
}

template <typename T>
void all_outputs(const LinearArguments& a) {
  const auto width = kBlockTiles * kTileOutputs;
  const auto blocks = (a.out + width - 1) / width;
#pragma omp parallel
  {
    const auto own = static_cast<std::uint64_t>(omp_get_thread_num()) * linear_scratch_bytes(a.rows, 1);
    float* wide = reinterpret_cast<float*>(a.scratch + own);
    float* sums = wide + kTileOutputs * kBlockColumns;
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) block<T>(a, b * width, std::min(a.out, (b + 1) * width), wide, sums);
  }
}

void linear(const LinearArguments& a) {
  switch (a.weight_type) {
    case ElementType::f16: return all_outputs<hwy::float16_t>(a);
    case ElementType::bf16: return all_outputs<hwy::bfloat16_t>(a);
    default: return all_outputs<float>(a);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

LinearKernel linear_kernel(SimdLevel level) { return ALEXNET_SIMD(linear, level); }

std::uint64_t linear_scratch_bytes(std::int64_t rows, int threads) {
  constexpr std::uint64_t kWideBytes = 4 * 512 * sizeof(float);  // weights of a tile
  constexpr std::uint64_t kBytesForARow = 8 * 4 * 64;            // outputs of a block, bytes of the largest vector
  return static_cast<std::uint64_t>(threads) * (kWideBytes + static_cast<std::uint64_t>(rows) * kBytesForARow);
}

}  // namespace alexnet
#endif
