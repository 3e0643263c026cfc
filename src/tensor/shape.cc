#include "tensor/shape.h"

#include <algorithm>
#include <cassert>

#include "base/checked.h"

namespace alexnet {

Shape::Shape(std::span<const std::int64_t> extents) : rank_(extents.size()) {
  assert(extents.size() <= kMaxRank);
  std::copy(extents.begin(), extents.end(), extents_.begin());
}

std::optional<Shape> Shape::make(std::span<const std::int64_t> extents) {
  if (extents.size() > kMaxRank) return std::nullopt;
  std::optional<std::int64_t> product = 1;
  for (const auto extent : extents) {
    if (extent < 0) return std::nullopt;
    // Zero extents must not hide an overflow of the others.
    product = checked_multiply(*product, std::max<std::int64_t>(extent, 1));
    if (!product) return std::nullopt;
  }
  return Shape(extents);
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (const auto extent : extents()) product *= extent;
  return product;
}

Shape Shape::with_batch(std::int64_t batch) const {
  assert(rank_ < kMaxRank);
  Shape result;
  result.rank_ = rank_ + 1;
  result.extents_[0] = batch;
  std::copy_n(extents_.begin(), rank_, result.extents_.begin() + 1);
  return result;
}

Shape Shape::without_batch() const {
  assert(rank_ > 0);
  return Shape(extents().subspan(1));
}

std::string to_string(const Shape& shape) {
  if (shape.rank() == 0) return "scalar";
  std::string text;
  for (const auto extent : shape.extents()) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

}  // namespace alexnet
