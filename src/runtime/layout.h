// How the elements of a tensor lie in memory while a network runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tensor/element_type.h"
#include "tensor/shape.h"

namespace alexnet {

enum class Order {
  plain,          // row-major, as layers define them
  channels_last,  // (N, H, W, C)
  blocked,        // (N, C / block, H, W, block), the last block filled up with zeros
};

struct Layout {
  ElementType type = ElementType::f32;
  Order order = Order::plain;
  std::int64_t block = 1;  // channels in a block, for Order::blocked
  float scale = 1;         // of u8: what a stored 1 stands for

  friend bool operator==(const Layout&, const Layout&) = default;
};

// "nchw", "nhwc", "nChw16c", "nc"; with the element type behind it if that is not f32: "nhwc bf16".
std::string to_string(const Layout& layout, std::size_t rank);

// Bytes of a tensor of this shape; nothing if they can't be counted.
std::optional<std::uint64_t> byte_count(const Layout& layout, const Shape& shape);

}  // namespace alexnet
