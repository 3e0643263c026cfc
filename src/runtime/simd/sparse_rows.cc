#include "runtime/simd/sparse_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/sparse_rows.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "runtime/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

std::uint64_t word_at(const std::uint8_t* mask, std::int64_t at, std::int64_t bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, mask + at, static_cast<std::size_t>(std::min<std::int64_t>(8, bytes - at)));
  return word;
}

// counts[row]: how many values the row has.
void count(const std::uint8_t* mask, const Rows& rows, std::size_t* counts) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows.count; ++row) {
    const std::uint8_t* const bits = mask + row * rows.mask_bytes;
    int sum = 0;
    for (std::int64_t at = 0; at < rows.mask_bytes; at += 8) sum += std::popcount(word_at(bits, at, rows.mask_bytes));
    counts[row] = static_cast<std::size_t>(sum);
  }
}

// The columns of the bits set in one row of a mask; writes up to a vector more than it returns.
std::size_t columns_of(const std::uint8_t* mask, std::int64_t bytes, std::uint16_t* HWY_RESTRICT columns) {
  // Vectors of 32 bits, since only VBMI2 compresses narrower ones.
  const hn::CappedTag<std::int32_t, 16> d;
  const hn::Rebind<std::uint16_t, decltype(d)> narrow;
  constexpr auto kLanes = static_cast<int>(hn::MaxLanes(d));
  static_assert(kLanes <= kSparseSlack);
  const auto lanes = hn::Iota(d, 0);  // slow to make
  std::size_t count = 0;
  for (std::int64_t at = 0; at < bytes; at += 8) {
    const std::uint64_t word = word_at(mask, at, bytes);
    for (int lane = 0; lane < 64; lane += kLanes) {
      const std::uint64_t bits = word >> lane & ((std::uint64_t{1} << kLanes) - 1);
      const auto all = hn::Add(lanes, hn::Set(d, static_cast<std::int32_t>(8 * at) + lane));
      const auto set = hn::LoadMaskBits(d, reinterpret_cast<const std::uint8_t*>(&bits));
      hn::StoreU(hn::DemoteTo(narrow, hn::Compress(all, set)), narrow, columns + count);
      count += static_cast<std::size_t>(std::popcount(bits));
    }
  }
  return count;
}

void fill(const std::uint8_t* mask, const Rows& rows, const std::size_t* starts, std::uint16_t* columns) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows.count; ++row) {
    std::uint16_t* const first = columns + starts[row] + row * kSparseSlack;
    std::fill_n(first + columns_of(mask + row * rows.mask_bytes, rows.mask_bytes, first), kSparseSlack, std::uint16_t{0});
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

SparseIndex sparse_index(const Weight& weight, SimdLevel level, WeightStore* store) {
  const Rows all = rows(weight.shape);
  const std::uint8_t* const mask = weight.mask.values<std::uint8_t>().data();
  SparseIndex index;
  index.starts.resize(static_cast<std::size_t>(all.count + 1));
  ALEXNET_SIMD(count, level)(mask, all, index.starts.data());
  std::exclusive_scan(index.starts.begin(), index.starts.end(), index.starts.begin(), std::size_t{0});
  const Shape shape{(static_cast<std::int64_t>(index.starts.back()) + all.count * kSparseSlack) *
                    static_cast<std::int64_t>(sizeof(std::uint16_t))};
  Fingerprint key;
  key.add("sparse columns").add(all.elements).add(weight.mask.bytes());
  index.columns = prepared(store, key, ElementType::i8, shape, [&] {
    Tensor columns = Tensor::allocate(ElementType::i8, shape);
    ALEXNET_SIMD(fill, level)
    (mask, all, index.starts.data(), reinterpret_cast<std::uint16_t*>(columns.mutable_bytes().data()));
    return columns;
  });
  return index;
}

std::uint64_t sparse_index_bytes(const Weight& weight) {
  const auto count = static_cast<std::uint64_t>(rows(weight.shape).count);
  return (weight.data.byte_count() + count * kSparseSlack) * sizeof(std::uint16_t) + (count + 1) * sizeof(std::size_t);
}

}  // namespace alexnet
#endif
