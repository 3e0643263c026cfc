// Fully connected layers straight from pruned int8 weights: only products that count are taken.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/instruction_set.h"
#include "runtime/simd/sparse_rows.h"

namespace alexnet {

struct SparseLinearArguments {
  const float* source = nullptr;  // rows x in
  SparseRows weight;
  const float* scale = nullptr;  // out
  const float* bias = nullptr;   // out; may be null
  float* destination = nullptr;  // rows x out
  std::byte* scratch = nullptr;  // sparse_linear_scratch_bytes()
  std::int64_t rows = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool relu = false;
};

// destination = scale * (source * q^T) + bias, each sum in one fixed order, as in linear.h. Opens one parallel region.
using SparseLinearKernel = void (*)(const SparseLinearArguments&);
SparseLinearKernel sparse_linear_kernel(SimdLevel level);

std::uint64_t sparse_linear_scratch_bytes(std::int64_t in);

}  // namespace alexnet
