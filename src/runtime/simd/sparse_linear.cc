#include "runtime/simd/sparse_linear.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/sparse_linear.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// An output's values belong in turn to kLanes partial sums, whether those are the lanes of one vector, for a row of its own, or
// vectors of kLanes rows: each sum is the same either way.
using Float = hn::CappedTag<float, 16>;
using Integer = hn::RebindToSigned<Float>;
using Vector = hn::Vec<Float>;
constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(Float()));
static_assert(kLanes <= kSparseSlack);

struct Output {
  const std::uint16_t* columns;
  const std::int8_t* values;
  std::int64_t count;
};

HWY_INLINE Output output_of(const SparseRows& w, std::int64_t output) {
  return {w.columns + w.starts[output] + output * kSparseSlack, w.values.data() + w.starts[output],
          static_cast<std::int64_t>(w.starts[output + 1] - w.starts[output])};
}

// kLanes weights from the i-th on, or those that are left and zeros: never read beyond the end of a mapped file.
HWY_INLINE Vector weights(const Output& of, std::int64_t i) {
  const hn::Rebind<std::int8_t, Float> bytes;
  const std::int8_t* from = of.values + i;
  std::int8_t rest[kLanes] = {};
  if (of.count - i < kLanes) {
    std::memcpy(rest, from, static_cast<std::size_t>(of.count - i) % sizeof rest);
    from = rest;
  }
  return hn::ConvertTo(Float(), hn::PromoteTo(Integer(), hn::LoadU(bytes, from)));
}

float added_up(float (&sums)[kLanes]) {
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2)
    for (std::int64_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0];
}

void finish(const SparseLinearArguments& a, std::int64_t row, std::int64_t output, float sum) {
  float value = sum * a.scale[output];
  if (a.bias != nullptr) value += a.bias[output];
  // Not std::max: NaN stays NaN.
  if (a.relu && value < 0) value = 0;
  a.destination[row * a.out + output] = value;
}

void one_row(const SparseLinearArguments& a, std::int64_t row, std::int64_t output) {
  const float* const source = a.source + row * a.in;
  const Output of = output_of(a.weight, output);
  // What weights meet is collected some vectors ahead of its use: floats that are still on their way to memory can't be loaded
  // together at once. A gather is slower, by far on processors that were made safe from it.
  constexpr std::int64_t kAhead = 4 * kLanes;
  const Float d;
  HWY_ALIGN float collected[2][kAhead];
  Vector sum = hn::Zero(d);
  const auto collect = [&](float* to, std::int64_t at, std::int64_t count) HWY_ATTR __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < count; ++i) to[i] = source[of.columns[at + i]];
  };
  const auto add = [&](const float* from, std::int64_t at) HWY_ATTR __attribute__((always_inline)) {
    sum = hn::MulAdd(hn::Load(d, from), weights(of, at), sum);
  };
  const auto whole = of.count / kAhead * kAhead;
  if (whole > 0) collect(collected[0], 0, kAhead);
  for (std::int64_t at = 0; at < whole; at += kAhead) {
    if (at + kAhead < whole) collect(collected[at / kAhead % 2 ^ 1], at + kAhead, kAhead);
    for (std::int64_t i = 0; i < kAhead; i += kLanes) add(collected[at / kAhead % 2] + i, at + i);
  }
  for (auto at = whole; at < of.count; at += kLanes) {
    collect(collected[0], at, kLanes);
    add(collected[0], at);
  }
  HWY_ALIGN float sums[kLanes];
  hn::Store(sum, d, sums);
  finish(a, row, output, added_up(sums));
}

// `rows` rows, at most kLanes, whose columns lie in the vectors of the table.
void in_lanes(const SparseLinearArguments& a, const float* table, std::int64_t row, std::int64_t rows, std::int64_t output) {
  const Float d;
  const Output of = output_of(a.weight, output);
  Vector sum[kLanes];
  for (auto& s : sum) s = hn::Zero(d);
  for (std::int64_t at = 0; at < of.count; at += kLanes) {
    HWY_ALIGN float weight[kLanes];
    hn::Store(weights(of, at), d, weight);
    for (std::int64_t i = 0; i < kLanes; ++i)
      sum[i] = hn::MulAdd(hn::LoadU(d, table + of.columns[at + i] * kLanes), hn::Set(d, weight[i]), sum[i]);
  }
  HWY_ALIGN float sums[kLanes][kLanes];
  for (std::int64_t i = 0; i < kLanes; ++i) hn::Store(sum[i], d, sums[i]);
  for (std::int64_t r = 0; r < rows; ++r) {
    float of_row[kLanes];
    for (std::int64_t i = 0; i < kLanes; ++i) of_row[i] = sums[i][r];
    finish(a, row + r, output, added_up(of_row));
  }
}

// `rows` rows from `row` on: first a table of their columns, which all threads make, then the outputs.
void pass(const SparseLinearArguments& a, std::int64_t row, std::int64_t rows) {
  if (rows == 1) {
#pragma omp for schedule(static)
    for (std::int64_t output = 0; output < a.out; ++output) one_row(a, row, output);
    return;
  }
  float* const table = reinterpret_cast<float*>(a.scratch);
  const float* const source = a.source + row * a.in;
#pragma omp for schedule(static)
  for (std::int64_t column = 0; column < a.in; ++column) {
    float* const element = table + column * kLanes;
    std::fill_n(element, kLanes, 0.0f);
    for (std::int64_t r = 0; r < rows; ++r) element[r] = source[r * a.in + column];
  }
#pragma omp for schedule(static)
  for (std::int64_t output = 0; output < a.out; ++output) in_lanes(a, table, row, rows, output);
}

void sparse_linear(const SparseLinearArguments& a) {
#pragma omp parallel
  for (std::int64_t row = 0; row < a.rows; row += kLanes) pass(a, row, std::min(kLanes, a.rows - row));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

SparseLinearKernel sparse_linear_kernel(SimdLevel level) { return ALEXNET_SIMD(sparse_linear, level); }

std::uint64_t sparse_linear_scratch_bytes(std::int64_t in) {
  constexpr std::uint64_t kLargestVector = 64;
  return static_cast<std::uint64_t>(in) * kLargestVector;
}

}  // namespace alexnet
#endif
