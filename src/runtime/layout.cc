#include "runtime/layout.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/checked.h"

namespace alexnet {
namespace {

std::string order_text(const Layout& layout, std::size_t rank) {
  if (layout.order == Order::channels_last) return "nhwc";
  if (layout.order == Order::blocked) return fmt::format("nChw{}c", layout.block);
  if (rank == 4) return "nchw";
  constexpr std::string_view kAxes = "ncdefghi";
  return std::string(kAxes.substr(0, rank));
}

}  // namespace

std::string to_string(const Layout& layout, std::size_t rank) {
  const std::string order = order_text(layout, rank);
  if (layout.type == ElementType::f32) return order;
  std::string type(name(layout.type));
  std::ranges::transform(type, type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return fmt::format("{} {}", order, type);
}

std::optional<std::uint64_t> byte_count(const Layout& layout, const Shape& shape) {
  std::optional<std::uint64_t> bytes = size_of(layout.type);
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    auto extent = static_cast<std::uint64_t>(shape[axis]);
    if (axis == 1 && layout.order == Order::blocked) {
      const auto block = static_cast<std::uint64_t>(layout.block);
      extent = (extent + block - 1) / block * block;
    }
    bytes = checked_multiply(*bytes, extent);
    if (!bytes) return std::nullopt;
  }
  return bytes;
}

}  // namespace alexnet
