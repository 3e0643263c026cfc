#include "runtime/simd/int8_linear.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/int8_linear.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"
#include "runtime/simd/int8-inl.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

constexpr std::int64_t kTileOutputs = 4;
constexpr std::int64_t kBlockColumns = 2048;
constexpr std::int64_t kBlockTiles = 8;

// With 4 outputs 24 of 32 registers hold sums, or 8 of 16.
constexpr std::int64_t kTileRows = HWY_TARGET <= HWY_AVX3 ? 6 : 2;

// The sums of kRows rows with kOutputs outputs over columns [0, columns), added to those in `sums` (a vector each).
template <bool kVnni, std::int64_t kRows, std::int64_t kOutputs>
void tile(const std::uint8_t* source, const std::int8_t* weight, std::int64_t stride, std::int64_t columns, std::byte* sums) {
  Integers sum[kRows][kOutputs];
  const auto place = [&](std::int64_t r, std::int64_t o) { return sums + (r * kTileOutputs + o) * kStep; };
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t o = 0; o < kOutputs; ++o) sum[r][o] = load(place(r, o));
  const auto add = [&](const auto& loaded, std::int64_t at) HWY_ATTR __attribute__((always_inline)) {
    Integers x[kRows];
    for (std::int64_t r = 0; r < kRows; ++r) x[r] = loaded(source + r * stride + at);
    for (std::int64_t o = 0; o < kOutputs; ++o) {
      const Integers w = loaded(weight + o * stride + at);
      for (std::int64_t r = 0; r < kRows; ++r) sum[r][o] = add_products<kVnni>(sum[r][o], x[r], w);
    }
  };
  std::int64_t at = 0;
  for (; at + kStep <= columns; at += kStep) add([](const auto* p) HWY_ATTR { return load(p); }, at);
  if (at < columns) {
    // Through a buffer: a load beyond the last row of a mapped file may fault.
    const auto rest = static_cast<std::size_t>(columns - at);
    add(
        [rest](const auto* p) HWY_ATTR {
          HWY_ALIGN std::byte buffer[kStep] = {};
          std::memcpy(buffer, p, rest);
          return load(buffer);
        },
        at);
  }
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t o = 0; o < kOutputs; ++o) std::memcpy(place(r, o), &sum[r][o], sizeof(Integers));
}

template <bool kVnni, std::int64_t kOutputs>
void all_rows(const Int8LinearArguments& a, std::int64_t output, std::int64_t column, std::int64_t columns, std::byte* sums) {
  const std::int8_t* weight = a.weight + output * a.in + column;
  std::int64_t row = 0;
  const auto run = [&]<std::int64_t kRows>() HWY_ATTR {
    for (; row + kRows <= a.rows; row += kRows)
      tile<kVnni, kRows, kOutputs>(a.source + row * a.in + column, weight, a.in, columns, sums + row * kTileOutputs * kStep);
  };
  run.template operator()<kTileRows>();
  run.template operator()<1>();
}

void finish(const Int8LinearArguments& a, std::int64_t output, std::int64_t outputs, const std::byte* sums) {
  for (std::int64_t row = 0; row < a.rows; ++row) {
    for (std::int64_t o = 0; o < outputs; ++o)
      store_result(a.result, row, output + o, total(sums + (row * kTileOutputs + o) * kStep));
  }
}

template <bool kVnni>
void block(const Int8LinearArguments& a, std::int64_t begin, std::int64_t end, std::byte* sums) {
  const auto stride = a.rows * kTileOutputs * kStep;
  const auto tiles = (end - begin + kTileOutputs - 1) / kTileOutputs;
  std::fill_n(sums, tiles * stride, std::byte{0});
  // With one tile of rows there is nothing to share between tiles, and long runs through the weights pay.
  const auto block_columns = a.rows <= kTileRows ? a.in : kBlockColumns;
  for (std::int64_t column = 0; column < a.in; column += block_columns) {
    const auto columns = std::min(block_columns, a.in - column);
    for (std::int64_t t = 0; t < tiles; ++t) {
      const auto output = begin + t * kTileOutputs;
      switch (std::min(kTileOutputs, end - output)) {
        case 4: all_rows<kVnni, 4>(a, output, column, columns, sums + t * stride); break;
        case 3: all_rows<kVnni, 3>(a, output, column, columns, sums + t * stride); break;
        case 2: all_rows<kVnni, 2>(a, output, column, columns, sums + t * stride); break;
        default: all_rows<kVnni, 1>(a, output, column, columns, sums + t * stride); break;
      }
    }
  }
  for (std::int64_t t = 0; t < tiles; ++t) {
    const auto output = begin + t * kTileOutputs;
    finish(a, output, std::min(kTileOutputs, end - output), sums + t * stride);
  }
}

template <bool kVnni>
void all_blocks(const Int8LinearArguments& a) {
  const auto width = kBlockTiles * kTileOutputs;
  const auto blocks = (a.result.out + width - 1) / width;
#pragma omp parallel
  {
    std::byte* sums = a.scratch + static_cast<std::uint64_t>(omp_get_thread_num()) * int8_linear_scratch_bytes(a.rows, 1);
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) block<kVnni>(a, b * width, std::min(a.result.out, (b + 1) * width), sums);
  }
}

void int8_linear(const Int8LinearArguments& a) { all_blocks<false>(a); }
void int8_linear_vnni(const Int8LinearArguments& a) { all_blocks<true>(a); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

Int8LinearKernel int8_linear_kernel(const InstructionSet& instructions) {
  return instructions.vnni ? ALEXNET_SIMD(int8_linear_vnni, instructions.simd) : ALEXNET_SIMD(int8_linear, instructions.simd);
}

std::uint64_t int8_linear_scratch_bytes(std::int64_t rows, int threads) {
  constexpr std::uint64_t kBlockOutputs = 8 * 4;
  constexpr std::uint64_t kLargestVector = 64;
  return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(threads) * kBlockOutputs * kLargestVector;
}

}  // namespace alexnet
#endif
