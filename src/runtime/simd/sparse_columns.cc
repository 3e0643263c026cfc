#include "runtime/simd/sparse_columns.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <vector>

#include "runtime/simd/int8_linear.h"

namespace alexnet {
namespace {

constexpr std::int64_t kMostGap = 255;

// Groups of all columns, with what stands between and behind their values, at most.
std::uint64_t capacity(const Weight& weight) {
  const Rows all = rows(weight.shape);
  const auto more = static_cast<std::uint64_t>(all.elements * (all.count / kMostGap + SparseGroup::kSize - 1));
  return (weight.data.byte_count() + more) / SparseGroup::kSize;
}

std::uint64_t starts_bytes(const Weight& weight) {
  return static_cast<std::uint64_t>(rows(weight.shape).elements + 1) * sizeof(std::uint64_t);
}

// Calls take(column of the block, gap, value) for what the columns of a block hold, output by output.
template <typename Take>
void visit(const Weight& weight, const std::vector<std::size_t>& starts, std::int64_t block, Take&& take) {
  const Rows all = rows(weight.shape);
  const auto blocks = (all.elements + kSparseBlock - 1) / kSparseBlock;
  const auto first = block * kSparseBlock / 8;
  const auto bytes = std::min(kSparseBlock / 8, all.mask_bytes - first);
  std::vector<std::int64_t> last(kSparseBlock);
  for (std::int64_t output = 0; output < all.count; ++output) {
    const std::uint8_t* const mask = weight.mask.values<std::uint8_t>().data() + output * all.mask_bytes + first;
    const std::int8_t* value = weight.data.values<std::int8_t>().data() + starts[static_cast<std::size_t>(output * blocks + block)];
    for (std::int64_t at = 0; at < bytes; at += 8) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, mask + at, static_cast<std::size_t>(std::min<std::int64_t>(8, bytes - at)));
      for (; bits != 0; bits &= bits - 1) {
        const auto column = static_cast<std::size_t>(8 * at + std::countr_zero(bits));
        auto gap = output - last[column];
        for (; gap > kMostGap; gap -= kMostGap) take(column, kMostGap, std::int8_t{0});
        take(column, gap, *value++);
        last[column] = output;
      }
    }
  }
}

void fill(const Weight& weight, std::span<std::byte> bytes) {
  const auto first = sparse_starts(weight);
  const auto in = rows(weight.shape).elements;
  std::vector<std::uint64_t> starts(static_cast<std::size_t>(in + 1));
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t column = 0; column < in; column += kSparseBlock)
    visit(weight, first, column / kSparseBlock,
          [counts = starts.data() + column + 1](std::size_t at, std::int64_t, std::int8_t) { ++counts[at]; });
  for (std::size_t i = 1; i < starts.size(); ++i)
    starts[i] = starts[i - 1] + (starts[i] + SparseGroup::kSize - 1) / SparseGroup::kSize;
  std::memcpy(bytes.data(), starts.data(), starts.size() * sizeof(std::uint64_t));
  auto* const groups = reinterpret_cast<SparseGroup*>(bytes.data() + starts_bytes(weight));
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t column = 0; column < in; column += kSparseBlock) {
    std::vector<std::uint64_t> counts(kSparseBlock);
    visit(weight, first, column / kSparseBlock, [&](std::size_t at, std::int64_t gap, std::int8_t value) {
      SparseGroup& group = groups[starts[static_cast<std::size_t>(column) + at] + counts[at] / SparseGroup::kSize];
      group.gaps[counts[at] % SparseGroup::kSize] = static_cast<std::uint8_t>(gap);
      group.values[counts[at]++ % SparseGroup::kSize] = value;
    });
  }
}

}  // namespace

std::uint64_t sparse_columns_bytes(const Weight& weight) { return starts_bytes(weight) + capacity(weight) * sizeof(SparseGroup); }

Tensor sparse_columns(const Weight& weight, WeightStore* store) {
  const Shape shape{static_cast<std::int64_t>(sparse_columns_bytes(weight))};
  Fingerprint key;
  key.add("sparse columns");
  return prepared(store, add(key, weight), ElementType::i8, shape, [&] {
    Tensor tensor = Tensor::allocate(ElementType::i8, shape);
    std::ranges::fill(tensor.mutable_bytes(), std::byte{0});
    fill(weight, tensor.mutable_bytes());
    return tensor;
  });
}

SparseColumns columns_in(const Tensor& tensor, const Weight& weight) {
  const std::byte* const bytes = tensor.bytes().data();
  return {.starts = reinterpret_cast<const std::uint64_t*>(bytes),
          .groups = reinterpret_cast<const SparseGroup*>(bytes + starts_bytes(weight))};
}

}  // namespace alexnet
