#include "runtime/simd/sparse_rows.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd/sparse_rows.cc"
#include "runtime/simd/targets.h"

#include <hwy/foreach_target.h>

#include <hwy/highway.h>

#include "model/mask.h"
#include "runtime/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace alexnet {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The columns of the bits set in one row of a mask; writes up to a vector more than it returns.
std::size_t columns_of(const std::uint8_t* mask, std::int64_t elements, std::uint16_t* HWY_RESTRICT columns) {
  std::size_t count = 0;
#if HWY_TARGET == HWY_SCALAR
  for (std::int64_t at = 0; at < elements; ++at)
    if ((mask[at / 8] >> at % 8 & 1) != 0) columns[count++] = static_cast<std::uint16_t>(at);
#else
  const hn::CappedTag<std::uint16_t, 16> d;
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(d));
  static_assert(kLanes % 8 == 0 && kLanes <= kSparseSlack);
  for (std::int64_t at = 0; at < elements; at += kLanes) {
    std::uint8_t bits[8] = {};  // Highway reads eight
    std::memcpy(bits, mask + at / 8, static_cast<std::size_t>((std::min(kLanes, elements - at) + 7) / 8));
    count += hn::CompressBitsStore(hn::Iota(d, static_cast<std::uint16_t>(at)), bits, d, columns + count);
  }
#endif
  return count;
}

void fill(const std::uint8_t* mask, const Rows& rows, const std::size_t* starts, std::uint16_t* columns) {
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows.count; ++row) {
    std::uint16_t* const first = columns + starts[row] + row * kSparseSlack;
    std::fill_n(first + columns_of(mask + row * rows.mask_bytes, rows.elements, first), kSparseSlack, std::uint16_t{0});
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace alexnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alexnet {

SparseIndex sparse_index(const Weight& weight, SimdLevel level) {
  const Rows all = rows(weight.shape);
  const auto mask = weight.mask.values<std::uint8_t>();
  SparseIndex index;
  index.starts.reserve(static_cast<std::size_t>(all.count + 1));
  index.starts.push_back(0);
  for (std::int64_t row = 0; row < all.count; ++row) {
    const auto bits = mask.subspan(static_cast<std::size_t>(row * all.mask_bytes), static_cast<std::size_t>(all.mask_bytes));
    index.starts.push_back(index.starts.back() + static_cast<std::size_t>(set_bits(std::as_bytes(bits))));
  }
  index.columns.resize(index.starts.back() + static_cast<std::size_t>(all.count * kSparseSlack));
  ALEXNET_SIMD(fill, level)(mask.data(), all, index.starts.data(), index.columns.data());
  return index;
}

std::uint64_t sparse_index_bytes(const Weight& weight) {
  const auto count = static_cast<std::uint64_t>(rows(weight.shape).count);
  return (weight.data.byte_count() + count * kSparseSlack) * sizeof(std::uint16_t) + (count + 1) * sizeof(std::size_t);
}

}  // namespace alexnet
#endif
