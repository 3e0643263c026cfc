// Pruned weights as compressed sparse rows: for each output, which inputs its values belong to. The values stay where the model
// file has them, in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/weight.h"
#include "runtime/instruction_set.h"
#include "runtime/prepared.h"
#include "tensor/tensor.h"

namespace alexnet {

struct SparseRows {
  const std::uint16_t* columns = nullptr;  // of an output's values: from starts[output] + output * kSparseSlack on
  const std::size_t* starts = nullptr;     // out + 1; an output's first value
  std::span<const std::int8_t> values;     // not zero
};

// Columns behind an output's last, all 0, so that whole vectors can be read.
inline constexpr std::int64_t kSparseSlack = 32;
// Columns are numbers of 16 bits.
inline constexpr std::int64_t kMostSparseColumns = 65536;

struct SparseIndex {
  Tensor columns;  // I8, two bytes each
  std::vector<std::size_t> starts;

  SparseRows rows_of(const Weight& weight) const {
    return {.columns = reinterpret_cast<const std::uint16_t*>(columns.bytes().data()),
            .starts = starts.data(),
            .values = weight.data.values<std::int8_t>()};
  }
};

// Of an int8_sparse weight with at most kMostSparseColumns elements a row. Columns come from `store`, if there is one. Opens
// parallel regions.
SparseIndex sparse_index(const Weight& weight, SimdLevel level, WeightStore* store = nullptr);
// What it will take.
std::uint64_t sparse_index_bytes(const Weight& weight);

}  // namespace alexnet
