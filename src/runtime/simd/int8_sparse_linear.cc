#include <omp.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "model/mask.h"
#include "runtime/simd/int8_linear.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/int8_sparse_linear.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"
#include "runtime/simd/int8-inl.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

// Two vectors of weights a step, each with sums of its own, hide the latency of a product.
constexpr std::int64_t kVectors = 2;
constexpr std::int64_t kBlockOutputs = 8;
constexpr std::int64_t kTileRows = HWY_TARGET <= HWY_AVX3 ? 8 : 4;

#if HWY_TARGET <= HWY_AVX3_DL

HWY_INLINE Integers expand(std::uint64_t mask, const std::int8_t* values) {
  __m512i packed = _mm512_loadu_si512(values);
  // The compiler would make the load a part of the expansion, which takes some 30 cycles on Zen 4 and 5.
  __asm__("" : "+v"(packed));
  return _mm512_maskz_expand_epi8(mask, packed);
}

#else

// Other levels have int8_csr_linear.cc: here only so that tests run the rest of this file on any processor.
HWY_INLINE Integers expand(std::uint64_t mask, const std::int8_t* values) {
  std::int8_t spread[kStep] = {};
  for (auto& element : spread) {
    if ((mask & 1) != 0) element = *values++;
    mask >>= 1;
  }
  return load(spread);
}

#endif

// The bits of the `count` elements from `at` on, at most a vector of them.
HWY_INLINE std::uint64_t mask_of(const std::uint8_t* mask, std::int64_t at, std::int64_t count) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, mask + at / 8, static_cast<std::size_t>((count + 7) / 8));
  return bits;
}

// One output's sums for kRows rows over [column, column + columns), added to those in `sums` (a vector each).
template <bool kVnni, std::int64_t kRows>
void tile(const Int8SparseLinearArguments& a, std::int64_t row, std::int64_t output, std::int64_t column, std::int64_t columns,
          std::byte* sums) {
  Integers sum[kRows][kVectors];
  for (std::int64_t r = 0; r < kRows; ++r) {
    sum[r][0] = load(sums + r * kStep);
    for (std::int64_t v = 1; v < kVectors; ++v) sum[r][v] = Integers{};
  }
  const std::uint8_t* const mask_row = a.mask + output * a.mask_bytes;
  const auto blocks = (a.in + kSparseBlock - 1) / kSparseBlock;
  const std::int8_t* values = a.values.data() + a.starts[output * blocks + column / kSparseBlock];
  const std::int8_t* const end = a.values.data() + a.values.size();
  const std::uint8_t* const source = a.source + row * a.in;
  const auto stop = column + columns;
  std::int64_t at = column;
  for (; at + kVectors * kStep <= stop && end - values >= (kVectors + 1) * kStep; at += kVectors * kStep) {
    for (std::int64_t v = 0; v < kVectors; ++v) {
      const auto from = at + v * kStep;
      const std::uint64_t mask = mask_of(mask_row, from, kStep);
      const Integers weights = expand(mask, values);
      values += std::popcount(mask);
      for (std::int64_t r = 0; r < kRows; ++r) sum[r][v] = add_products<kVnni>(sum[r][v], load(source + r * a.in + from), weights);
    }
  }
  // Values are read in whole vectors, but not beyond the last one of a mapped file, and neither is the source.
  for (; at < stop; at += kStep) {
    const auto count = std::min(kStep, stop - at);
    const std::uint64_t mask = mask_of(mask_row, at, count);
    std::int8_t next[2 * kStep] = {};
    std::copy_n(values, std::popcount(mask), next);
    const Integers weights = expand(mask, next);
    for (std::int64_t r = 0; r < kRows; ++r) {
      std::uint8_t buffer[kStep] = {};
      std::copy_n(source + r * a.in + at, count, buffer);
      sum[r][0] = add_products<kVnni>(sum[r][0], load(buffer), weights);
    }
    values += std::popcount(mask);
  }
  for (std::int64_t r = 0; r < kRows; ++r) {
    std::int32_t lanes[kVectors][kStep / 4];
    std::memcpy(lanes, sum[r], sizeof lanes);
    for (std::int64_t v = 1; v < kVectors; ++v)
      for (std::int64_t i = 0; i < kStep / 4; ++i) lanes[0][i] += lanes[v][i];
    std::memcpy(sums + r * kStep, lanes[0], sizeof lanes[0]);
  }
}

template <bool kVnni>
void all_rows(const Int8SparseLinearArguments& a, std::int64_t output, std::int64_t column, std::int64_t columns, std::byte* sums) {
  std::int64_t row = 0;
  for (; row + kTileRows <= a.rows; row += kTileRows) tile<kVnni, kTileRows>(a, row, output, column, columns, sums + row * kStep);
  for (; row + 2 <= a.rows; row += 2) tile<kVnni, 2>(a, row, output, column, columns, sums + row * kStep);
  for (; row < a.rows; ++row) tile<kVnni, 1>(a, row, output, column, columns, sums + row * kStep);
}

template <bool kVnni>
void block(const Int8SparseLinearArguments& a, std::int64_t begin, std::int64_t end, std::byte* sums) {
  const auto stride = a.rows * kStep;
  std::fill_n(sums, (end - begin) * stride, std::byte{0});
  const auto columns = a.rows <= kTileRows ? a.in : kSparseBlock;
  for (std::int64_t column = 0; column < a.in; column += columns) {
    for (auto output = begin; output < end; ++output)
      all_rows<kVnni>(a, output, column, std::min(columns, a.in - column), sums + (output - begin) * stride);
  }
  for (auto output = begin; output < end; ++output) {
    for (std::int64_t row = 0; row < a.rows; ++row)
      store_result(a.result, row, output, total(sums + (output - begin) * stride + row * kStep));
  }
}

template <bool kVnni>
void all_blocks(const Int8SparseLinearArguments& a) {
  const auto blocks = (a.result.out + kBlockOutputs - 1) / kBlockOutputs;
#pragma omp parallel
  {
    std::byte* sums = a.scratch + static_cast<std::uint64_t>(omp_get_thread_num()) * int8_sparse_linear_scratch_bytes(a.rows, 1);
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b)
      block<kVnni>(a, b * kBlockOutputs, std::min(a.result.out, (b + 1) * kBlockOutputs), sums);
  }
}

void int8_sparse_linear(const Int8SparseLinearArguments& a) { all_blocks<false>(a); }
void int8_sparse_linear_vnni(const Int8SparseLinearArguments& a) { all_blocks<true>(a); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

Int8SparseLinearKernel int8_sparse_linear_kernel(const InstructionSet& instructions) {
  return instructions.vnni ? ALEXNET_SIMD(int8_sparse_linear_vnni, instructions.simd)
                           : ALEXNET_SIMD(int8_sparse_linear, instructions.simd);
}

std::uint64_t int8_sparse_linear_scratch_bytes(std::int64_t rows, int threads) {
  constexpr std::uint64_t kBytesForARow = 8 * 64;  // outputs of a block, bytes of a vector
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
