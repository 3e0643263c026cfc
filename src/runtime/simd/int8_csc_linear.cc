// Pruned int8 layers as compressed sparse columns, for few rows: only products of two values that are not zero are taken.
#include <omp.h>

#include <algorithm>
#include <utility>

#include "runtime/simd/int8_linear.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/int8_csc_linear.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"
#include "runtime/simd/int8-inl.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

constexpr std::int64_t kInputs = 256;
constexpr std::int64_t kAhead = 4;  // inputs; their weights lie too far apart for the processor to see what comes next

// Adds what inputs [begin, begin + kInputs) give to the outputs' sums. Those that are not zero are found first, since which ones
// they are can't be foreseen.
void add_products(const Int8PrunedLinearArguments<SparseColumns>& a, const std::uint8_t* source, std::int64_t begin,
                  std::int32_t* sums) {
  std::int64_t active[kInputs];
  std::int64_t count = 0;
  for (auto i = begin; i < std::min(a.in, begin + kInputs); ++i) {
    active[count] = i;
    count += source[i] != 0 ? 1 : 0;
  }
  const auto groups_of = [&](std::int64_t input) {
    return std::pair(a.weight.groups + a.weight.starts[input], a.weight.groups + a.weight.starts[input + 1]);
  };
  for (std::int64_t j = 0; j < count; ++j) {
    if (j + kAhead < count) {
      const auto [next, next_end] = groups_of(active[j + kAhead]);
      for (const SparseGroup* at = next; at < next_end; at += 64 / sizeof(SparseGroup)) __builtin_prefetch(at);
    }
    const std::int32_t x = source[active[j]];
    std::int32_t* sum = sums;
    const auto [group, end] = groups_of(active[j]);
    for (const SparseGroup* at = group; at < end; ++at) {
#pragma GCC unroll 4
      for (std::int64_t k = 0; k < SparseGroup::kSize; ++k) {
        sum += at->gaps[k];
        *sum += x * at->values[k];
      }
    }
  }
}

// Each thread has sums of its own, of the inputs that it happens to take: whole numbers, whose order changes nothing.
void int8_csc_linear(const Int8PrunedLinearArguments<SparseColumns>& a) {
  const auto out = a.result.out;
  auto* const all = reinterpret_cast<std::int32_t*>(a.scratch);
#pragma omp parallel
  for (std::int64_t row = 0; row < a.rows; ++row) {
    const auto threads = static_cast<std::int64_t>(omp_get_num_threads());
    std::int32_t* const own = all + omp_get_thread_num() * out;
    std::fill_n(own, out, 0);
#pragma omp for schedule(dynamic)
    for (std::int64_t input = 0; input < a.in; input += kInputs) add_products(a, a.source + row * a.in, input, own);
#pragma omp for schedule(static)
    for (std::int64_t output = 0; output < out; ++output) {
      std::int32_t sum = 0;
      for (std::int64_t t = 0; t < threads; ++t) sum += all[t * out + output];
      store_result(a.result, row, output, sum);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

Int8CscLinearKernel int8_csc_linear_kernel(const InstructionSet& instructions) {
  return ALEXNET_SIMD(int8_csc_linear, instructions.simd);
}

std::uint64_t int8_csc_linear_scratch_bytes(std::int64_t out, int threads) {
  return static_cast<std::uint64_t>(out) * static_cast<std::uint64_t>(threads) * sizeof(std::int32_t);
}

}  // namespace alexnet
#endif
