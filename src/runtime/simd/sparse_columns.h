// Pruned weights as compressed sparse columns: for each input, to which outputs its values go. Inputs that are zero are then
// skipped, as after a ReLU most of them are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/weight.h"
#include "runtime/prepared.h"
#include "tensor/tensor.h"

namespace alexnet {

// Gaps lead from one value's output to the next one's, the first from output 0. A value is 0 only in between, where a gap is too
// large for a byte, and behind an input's last.
struct SparseGroup {
  static constexpr std::int64_t kSize = 4;
  std::uint8_t gaps[kSize];
  std::int8_t values[kSize];
};

struct SparseColumns {
  const std::uint64_t* starts = nullptr;  // in + 1; an input's first group
  const SparseGroup* groups = nullptr;
};

// Of an int8_sparse weight, as one tensor of I8. It comes from `store`, if there is one. Opens parallel regions.
Tensor sparse_columns(const Weight& weight, WeightStore* store = nullptr);
SparseColumns columns_in(const Tensor& tensor, const Weight& weight);
// What it takes.
std::uint64_t sparse_columns_bytes(const Weight& weight);

}  // namespace alexnet
