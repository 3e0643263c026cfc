// Pruned int8 layers as compressed sparse rows: only products that count are taken.
#include <algorithm>
#include <cstring>

#include "runtime/simd/int8_linear.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/int8_csr_linear.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"
#include "runtime/simd/int8-inl.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET <= HWY_AVX2
using Bytes = __m256i;
HWY_INLINE Bytes load_bytes(const void* from) { return _mm256_load_si256(static_cast<const __m256i*>(from)); }
HWY_INLINE Bytes broadcast(std::int32_t lane) { return _mm256_set1_epi32(lane); }
HWY_INLINE Bytes low_bytes(Bytes a, Bytes b) { return _mm256_unpacklo_epi8(a, b); }
HWY_INLINE Bytes high_bytes(Bytes a, Bytes b) { return _mm256_unpackhi_epi8(a, b); }
HWY_INLINE Bytes low_words(Bytes a, Bytes b) { return _mm256_unpacklo_epi16(a, b); }
HWY_INLINE Bytes high_words(Bytes a, Bytes b) { return _mm256_unpackhi_epi16(a, b); }
#else
using Bytes = __m128i;
HWY_INLINE Bytes load_bytes(const void* from) { return _mm_load_si128(static_cast<const __m128i*>(from)); }
HWY_INLINE Bytes broadcast(std::int32_t lane) { return _mm_set1_epi32(lane); }
HWY_INLINE Bytes low_bytes(Bytes a, Bytes b) { return _mm_unpacklo_epi8(a, b); }
HWY_INLINE Bytes high_bytes(Bytes a, Bytes b) { return _mm_unpackhi_epi8(a, b); }
HWY_INLINE Bytes low_words(Bytes a, Bytes b) { return _mm_unpacklo_epi16(a, b); }
HWY_INLINE Bytes high_words(Bytes a, Bytes b) { return _mm_unpackhi_epi16(a, b); }
#endif
constexpr auto kRows = static_cast<std::int64_t>(sizeof(Bytes));
constexpr std::int64_t kFour = 4;  // values whose products are summed in a lane
static_assert(kFour <= kSparseSlack);

// One output's sums for kRows rows, which lie in the bytes of the table's vectors.
template <bool kVnni>
void in_bytes(const SparseRows& w, const std::byte* table, std::int64_t output, std::int32_t* sums) {
  const std::uint16_t* const columns = w.columns + w.starts[output] + output * kSparseSlack;
  const std::int8_t* const values = w.values.data() + w.starts[output];
  const auto count = static_cast<std::int64_t>(w.starts[output + 1] - w.starts[output]);
  Bytes sum[4] = {};
  const auto add = [&](const std::uint16_t* at, const std::int8_t* from) HWY_ATTR __attribute__((always_inline)) {
    const auto x = [&](std::int64_t i) HWY_ATTR { return load_bytes(table + at[i] * kRows); };
    std::int32_t weights = 0;
    std::memcpy(&weights, from, sizeof weights);
    const Bytes w4 = broadcast(weights);
    const Bytes low[2] = {low_bytes(x(0), x(1)), low_bytes(x(2), x(3))};
    const Bytes high[2] = {high_bytes(x(0), x(1)), high_bytes(x(2), x(3))};
    sum[0] = add_products<kVnni>(sum[0], low_words(low[0], low[1]), w4);
    sum[1] = add_products<kVnni>(sum[1], high_words(low[0], low[1]), w4);
    sum[2] = add_products<kVnni>(sum[2], low_words(high[0], high[1]), w4);
    sum[3] = add_products<kVnni>(sum[3], high_words(high[0], high[1]), w4);
  };
  std::int64_t i = 0;
  for (; i + kFour <= count; i += kFour) add(columns + i, values + i);
  if (i < count) {
    // Vectors of values must not be read beyond the end of a mapped file.
    std::int8_t rest[kFour] = {};
    std::memcpy(rest, values + i, static_cast<std::size_t>(count - i));
    add(columns + i, rest);
  }
  // Unpacking keeps to 16 bytes: sum k has rows 4k to 4k + 3 of each 16.
  std::int32_t lanes[4][kRows / 4];
  std::memcpy(lanes, sum, sizeof lanes);
  for (std::int64_t r = 0; r < kRows; ++r) sums[r] = lanes[r % 16 / 4][r / 16 * 4 + r % 4];
}

// `rows` rows from `row` on: first a table of their columns, which all threads make, then the outputs.
template <bool kVnni>
void pass(const Int8PrunedLinearArguments<SparseRows>& a, std::int64_t row, std::int64_t rows) {
  const std::uint8_t* const source = a.source + row * a.in;
#pragma omp for schedule(static)
  for (std::int64_t column = 0; column < a.in; ++column) {
    std::byte* const element = a.scratch + column * kRows;
    std::memset(element, 0, kRows);
    for (std::int64_t r = 0; r < rows; ++r) element[r] = static_cast<std::byte>(source[r * a.in + column]);
  }
#pragma omp for schedule(static)
  for (std::int64_t output = 0; output < a.result.out; ++output) {
    std::int32_t sums[kRows];
    in_bytes<kVnni>(a.weight, a.scratch, output, sums);
    for (std::int64_t r = 0; r < rows; ++r) store_result(a.result, row + r, output, sums[r]);
  }
}

template <bool kVnni>
void all(const Int8PrunedLinearArguments<SparseRows>& a) {
#pragma omp parallel
  for (std::int64_t row = 0; row < a.rows; row += kRows) pass<kVnni>(a, row, std::min(kRows, a.rows - row));
}

void int8_csr_linear(const Int8PrunedLinearArguments<SparseRows>& a) { all<false>(a); }
void int8_csr_linear_vnni(const Int8PrunedLinearArguments<SparseRows>& a) { all<true>(a); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

Int8CsrLinearKernel int8_csr_linear_kernel(const InstructionSet& instructions) {
  return instructions.vnni ? ALEXNET_SIMD(int8_csr_linear_vnni, instructions.simd)
                           : ALEXNET_SIMD(int8_csr_linear, instructions.simd);
}

std::uint64_t int8_csr_linear_scratch_bytes(std::int64_t in) {
  constexpr std::uint64_t kMostRows = 32;
  return static_cast<std::uint64_t>(in) * kMostRows;
}

}  // namespace alexnet
#endif
