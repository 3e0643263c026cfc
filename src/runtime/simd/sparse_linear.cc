#include "runtime/simd/sparse_linear.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/sparse_linear.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "model/mask.h"
#include "runtime/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Weights come in steps of kVectors vectors, each with sums of its own, enough to hide the latency of an addition.
constexpr std::int64_t kVectors = 4;
constexpr std::int64_t kBlockOutputs = 8;
constexpr std::int64_t kLargestVector = 64;

#if HWY_TARGET <= HWY_AVX3_DL
using Float = hn::CappedTag<float, 16>;
constexpr std::int64_t kTileRows = 6;
#elif HWY_TARGET <= HWY_AVX2
using Float = hn::CappedTag<float, 8>;
constexpr std::int64_t kTileRows = 2;
#else
using Float = hn::CappedTag<float, 1>;
constexpr std::int64_t kTileRows = 2;
#endif
using Vector = hn::Vec<Float>;
constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(Float()));
constexpr std::int64_t kStep = kVectors * kLanes;

#if HWY_TARGET <= HWY_AVX3_DL

HWY_INLINE void expand(std::uint64_t mask, const std::int8_t* values, Vector (&weights)[kVectors]) {
  __m512i packed = _mm512_loadu_si512(values);
  // The compiler would make the load a part of the expansion, which takes some 30 cycles on Zen 4 and 5.
  __asm__("" : "+v"(packed));
  const __m512i bytes = _mm512_maskz_expand_epi8(mask, packed);
  const auto widen = [](__m128i part) HWY_ATTR { return Vector{_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(part))}; };
  weights[0] = widen(_mm512_castsi512_si128(bytes));
  weights[1] = widen(_mm512_extracti32x4_epi32(bytes, 1));
  weights[2] = widen(_mm512_extracti32x4_epi32(bytes, 2));
  weights[3] = widen(_mm512_extracti32x4_epi32(bytes, 3));
}

#elif HWY_TARGET <= HWY_AVX2

// For each byte of a mask, where each of its 8 elements is found among the values; 0x80 makes a zero.
constexpr std::array<std::uint64_t, 256> kPlaces = [] {
  std::array<std::uint64_t, 256> places{};
  for (std::size_t mask = 0; mask < places.size(); ++mask) {
    std::uint64_t next = 0;
    for (std::size_t bit = 0; bit < 8; ++bit) places[mask] |= ((mask >> bit & 1) != 0 ? next++ : 0x80) << 8 * bit;
  }
  return places;
}();

HWY_INLINE void expand(std::uint64_t mask, const std::int8_t* values, Vector (&weights)[kVectors]) {
  for (auto& weight : weights) {
    const auto byte = static_cast<std::size_t>(mask & 0xFF);
    const __m128i packed = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(values));
    const __m128i spread = _mm_shuffle_epi8(packed, _mm_cvtsi64_si128(static_cast<long long>(kPlaces[byte])));
    weight = Vector{_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(spread))};
    values += std::popcount(byte);
    mask >>= 8;
  }
}

#else

HWY_INLINE void expand(std::uint64_t mask, const std::int8_t* values, Vector (&weights)[kVectors]) {
  for (auto& weight : weights) {
    weight = hn::Set(Float(), (mask & 1) != 0 ? static_cast<float>(*values++) : 0.0f);
    mask >>= 1;
  }
}

#endif

// The bits of the `count` elements from `at` on.
HWY_INLINE std::uint64_t mask_of_step(const std::uint8_t* mask, std::int64_t at, std::int64_t count) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, mask + at / 8, static_cast<std::size_t>((count + 7) / 8));
  // A step of less than a byte may begin in the middle of one.
  return kStep < 8 ? bits >> at % 8 & 0xF : bits;
}

// One output's sums for kRows rows over whole steps and what is left of [column, column + columns).
template <std::int64_t kRows>
void tile(const SparseLinearArguments& a, std::int64_t row, std::int64_t output, std::int64_t column, std::int64_t columns,
          float* HWY_RESTRICT sums) {
  const Float d;
  Vector sum[kRows][kVectors];
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Load(d, sums + (r * kVectors + v) * kLanes);

  const std::uint8_t* const mask_row = a.mask + output * a.mask_bytes;
  const auto blocks = (a.in + kSparseBlock - 1) / kSparseBlock;
  const std::int8_t* values = a.values.data() + a.starts[output * blocks + column / kSparseBlock];
  const std::int8_t* const end = a.values.data() + a.values.size();
  // Inlined at both calls, or the sums would live in memory.
  const auto add = [&](std::uint64_t mask, const std::int8_t* next, const float* source, std::int64_t stride) HWY_ATTR
      __attribute__((always_inline)) {
    Vector weights[kVectors];
    expand(mask, next, weights);
    for (std::int64_t r = 0; r < kRows; ++r)
      for (std::int64_t v = 0; v < kVectors; ++v)
        sum[r][v] = hn::MulAdd(hn::LoadU(d, source + r * stride + v * kLanes), weights[v], sum[r][v]);
  };
  const float* const source = a.source + row * a.in;
  const auto stop = column + columns;
  std::int64_t at = column;
  for (; at + kStep <= stop && end - values >= kLargestVector; at += kStep) {
    const std::uint64_t mask = mask_of_step(mask_row, at, kStep);
    add(mask, values, source + at, a.in);
    values += std::popcount(mask);
  }
  // Values are read in whole vectors, but not beyond the last one of a mapped file, and neither is the source.
  for (; at < stop; at += kStep) {
    const auto count = std::min(kStep, stop - at);
    const std::uint64_t mask = mask_of_step(mask_row, at, count);
    std::int8_t next[kLargestVector] = {};
    std::copy_n(values, std::popcount(mask), next);
    HWY_ALIGN float buffer[kRows * kStep] = {};
    for (std::int64_t r = 0; r < kRows; ++r) std::copy_n(source + r * a.in + at, count, buffer + r * kStep);
    add(mask, next, buffer, kStep);
    values += std::popcount(mask);
  }
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t v = 0; v < kVectors; ++v) hn::Store(sum[r][v], d, sums + (r * kVectors + v) * kLanes);
}

void all_rows(const SparseLinearArguments& a, std::int64_t output, std::int64_t column, std::int64_t columns, float* sums) {
  constexpr auto kSums = kVectors * kLanes;
  std::int64_t row = 0;
  for (; row + kTileRows <= a.rows; row += kTileRows) tile<kTileRows>(a, row, output, column, columns, sums + row * kSums);
  for (; row < a.rows; ++row) tile<1>(a, row, output, column, columns, sums + row * kSums);
}

void finish(const SparseLinearArguments& a, std::int64_t output, const float* sums) {
  const Float d;
  for (std::int64_t row = 0; row < a.rows; ++row) {
    const auto part = [&](std::int64_t v) HWY_ATTR { return hn::Load(d, sums + (row * kVectors + v) * kLanes); };
    const auto sum = hn::Add(hn::Add(part(0), part(1)), hn::Add(part(2), part(3)));
    float value = hn::GetLane(hn::SumOfLanes(d, sum)) * a.scale[output];
    if (a.bias != nullptr) value += a.bias[output];
    // Not std::max: NaN stays NaN.
    if (a.relu && value < 0) value = 0;
    a.destination[row * a.out + output] = value;
  }
}

void block(const SparseLinearArguments& a, std::int64_t begin, std::int64_t end, float* sums) {
  const auto stride = a.rows * kVectors * kLanes;
  std::fill_n(sums, (end - begin) * stride, 0.0f);
  const auto columns = a.rows <= kTileRows ? a.in : kSparseBlock;
  for (std::int64_t column = 0; column < a.in; column += columns) {
    for (auto output = begin; output < end; ++output)
      all_rows(a, output, column, std::min(columns, a.in - column), sums + (output - begin) * stride);
  }
  for (auto output = begin; output < end; ++output) finish(a, output, sums + (output - begin) * stride);
}

void sparse_linear(const SparseLinearArguments& a) {
  const auto blocks = (a.out + kBlockOutputs - 1) / kBlockOutputs;
#pragma omp parallel
  {
    const auto own = static_cast<std::uint64_t>(omp_get_thread_num()) * sparse_linear_scratch_bytes(a.rows, 1);
    float* sums = reinterpret_cast<float*>(a.scratch + own);
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) block(a, b * kBlockOutputs, std::min(a.out, (b + 1) * kBlockOutputs), sums);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

HWY_EXPORT(sparse_linear);

SparseLinearKernel sparse_linear_kernel(SimdLevel level) { return ALEXNET_SIMD(sparse_linear, level); }

std::uint64_t sparse_linear_scratch_bytes(std::int64_t rows, int threads) {
  constexpr std::uint64_t kBytesForARow = 8 * 4 * 64;  // outputs of a block, vectors of sums for each, bytes of one
  return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(threads) * kBytesForARow;
}

std::uint64_t sparse_starts_bytes(const Weight& weight) {
  const Rows all = rows(weight.shape);
  return static_cast<std::uint64_t>(all.count * ((all.elements + kSparseBlock - 1) / kSparseBlock)) * sizeof(std::size_t);
}

std::vector<std::size_t> sparse_starts(const Weight& weight) {
  const Rows all = rows(weight.shape);
  const auto blocks = (all.elements + kSparseBlock - 1) / kSparseBlock;
  const auto mask = weight.mask.values<std::uint8_t>();
  std::vector<std::size_t> starts;
  starts.reserve(static_cast<std::size_t>(all.count * blocks));
  std::size_t next = 0;
  for (std::int64_t row = 0; row < all.count; ++row) {
    const auto bytes = mask.subspan(static_cast<std::size_t>(row * all.mask_bytes), static_cast<std::size_t>(all.mask_bytes));
    for (std::int64_t b = 0; b < blocks; ++b) {
      starts.push_back(next);
      const auto first = static_cast<std::size_t>(b * kSparseBlock / 8);
      const auto part = bytes.subspan(first, std::min<std::size_t>(kSparseBlock / 8, bytes.size() - first));
      next += static_cast<std::size_t>(set_bits(std::as_bytes(part)));
    }
  }
  return starts;
}

}  // namespace alexnet
#endif
