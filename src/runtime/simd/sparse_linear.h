// Fully connected layers straight from pruned int8 weights: they are never expanded in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/weight.h"
#include "runtime/instruction_set.h"

namespace alexnet {

// Columns are taken in blocks of this many where many rows share a weight.
inline constexpr std::int64_t kSparseBlock = 1024;

struct SparseLinearArguments {
  const float* source = nullptr;        // rows x in
  const std::uint8_t* mask = nullptr;   // out x mask_bytes, as Weight has it
  std::span<const std::int8_t> values;  // one for each bit set
  const float* scale = nullptr;         // out
  const std::size_t* starts = nullptr;  // sparse_starts()
  const float* bias = nullptr;          // out; may be null
  float* destination = nullptr;         // rows x out
  std::byte* scratch = nullptr;         // sparse_linear_scratch_bytes()
  std::int64_t rows = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t mask_bytes = 0;
  bool relu = false;
};

// destination = scale * (source * q^T) + bias, each sum in one fixed order, as in linear.h. Opens one parallel region.
using SparseLinearKernel = void (*)(const SparseLinearArguments&);
SparseLinearKernel sparse_linear_kernel(SimdLevel level);

std::uint64_t sparse_linear_scratch_bytes(std::int64_t rows, int threads);

// For each output and each block of columns, the first of its values.
std::vector<std::size_t> sparse_starts(const Weight& weight);
std::uint64_t sparse_starts_bytes(const Weight& weight);

}  // namespace alexnet
