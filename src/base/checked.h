// Arithmetic on sizes that come from files: no result instead of a wrapped one.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

namespace alexnet {

template <std::integral T>
constexpr std::optional<T> checked_add(T a, T b) {
  T result{};
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

template <std::integral T>
constexpr std::optional<T> checked_multiply(T a, T b) {
  T result{};
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

}  // namespace alexnet
