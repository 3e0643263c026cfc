// The extents of a tensor, outermost first; a small value type that never allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace alexnet {

class Shape {
 public:
  static constexpr std::size_t kMaxRank = 8;

  Shape() = default;
  // At most kMaxRank extents, none negative: both are the caller's to check for what comes from a file (see make()).
  Shape(std::initializer_list<std::int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const std::int64_t> extents);

  // For extents from a file: nothing if there are too many, one is negative, or their product overflows.
  static std::optional<Shape> make(std::span<const std::int64_t> extents);

  std::size_t rank() const { return rank_; }
  std::int64_t operator[](std::size_t axis) const { return extents_[axis]; }
  std::int64_t& operator[](std::size_t axis) { return extents_[axis]; }
  std::span<const std::int64_t> extents() const { return {extents_.data(), rank_}; }
  // The product of the extents; 1 for rank 0.
  std::int64_t elements() const;

  // This shape behind one more leading extent, and without its leading extent.
  Shape with_batch(std::int64_t batch) const;
  Shape without_batch() const;

  friend bool operator==(const Shape& a, const Shape& b) = default;

 private:
  std::array<std::int64_t, kMaxRank> extents_{};
  std::size_t rank_ = 0;
};

// "1x3x227x227"; "scalar" for rank 0.
std::string to_string(const Shape& shape);

}  // namespace alexnet
