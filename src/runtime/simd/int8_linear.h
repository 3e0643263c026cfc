// Fully connected layers of u8 activations and int8 weights. Sums are whole numbers: no order of adding changes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/weight.h"
#include "runtime/instruction_set.h"
#include "runtime/simd/sparse_columns.h"
#include "runtime/simd/sparse_rows.h"

namespace alexnet {

// scale * sum + offset for each output, as f32, or rounded to nearest and kept within 0 to `most` as u8 if that is not 0.
struct Int8LinearResult {
  const float* scale = nullptr;      // out
  const float* offset = nullptr;     // out
  std::byte* destination = nullptr;  // rows x out
  std::int64_t out = 0;
  bool relu = false;
  std::int32_t most = 0;
};

struct Int8LinearArguments {
  const std::uint8_t* source = nullptr;  // rows x in; at most 127 without VNNI
  const std::int8_t* weight = nullptr;   // out x in, as model files hold it
  Int8LinearResult result;               // of source * weight^T
  std::byte* scratch = nullptr;          // int8_linear_scratch_bytes()
  std::int64_t rows = 0;
  std::int64_t in = 0;  // less than 65536, so that a sum fits 32 bits
};

// Opens one parallel region.
using Int8LinearKernel = void (*)(const Int8LinearArguments&);
Int8LinearKernel int8_linear_kernel(const InstructionSet& instructions);

std::uint64_t int8_linear_scratch_bytes(std::int64_t rows, int threads);

// The same for pruned weights, compressed one way or the other.
template <typename Pruned>
struct Int8PrunedLinearArguments {
  const std::uint8_t* source = nullptr;
  Pruned weight;
  Int8LinearResult result;
  std::byte* scratch = nullptr;  // int8_csr_linear_scratch_bytes() or int8_csc_linear_scratch_bytes()
  std::int64_t rows = 0;
  std::int64_t in = 0;
};

// Many rows together.
using Int8CsrLinearKernel = void (*)(const Int8PrunedLinearArguments<SparseRows>&);
Int8CsrLinearKernel int8_csr_linear_kernel(const InstructionSet& instructions);
std::uint64_t int8_csr_linear_scratch_bytes(std::int64_t in);

// Few rows, one after the other, whose zeros are skipped.
using Int8CscLinearKernel = void (*)(const Int8PrunedLinearArguments<SparseColumns>&);
Int8CscLinearKernel int8_csc_linear_kernel(const InstructionSet& instructions);
std::uint64_t int8_csc_linear_scratch_bytes(std::int64_t out, int threads);

// The same straight from their stored form, which pays where one instruction expands a mask (AVX-512 VBMI2).
struct Int8SparseLinearArguments {
  const std::uint8_t* source = nullptr;
  const std::uint8_t* mask = nullptr;
  std::span<const std::int8_t> values;
  const std::size_t* starts = nullptr;  // sparse_starts()
  Int8LinearResult result;
  std::byte* scratch = nullptr;  // int8_sparse_linear_scratch_bytes()
  std::int64_t rows = 0;
  std::int64_t in = 0;
  std::int64_t mask_bytes = 0;
};

using Int8SparseLinearKernel = void (*)(const Int8SparseLinearArguments&);
Int8SparseLinearKernel int8_sparse_linear_kernel(const InstructionSet& instructions);

std::uint64_t int8_sparse_linear_scratch_bytes(std::int64_t rows, int threads);

// Columns are taken in blocks of this many where many rows share a weight; for each output and each block, the first value.
inline constexpr std::int64_t kSparseBlock = 1024;
std::vector<std::size_t> sparse_starts(const Weight& weight);
std::uint64_t sparse_starts_bytes(const Weight& weight);

}  // namespace alexnet
