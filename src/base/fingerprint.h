// Tells contents apart, fast: 128 bits of whatever is added, in one order. It is no cryptographic hash: nobody can be kept from
// making two contents of one fingerprint.
#pragma once

#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace alexnet {

class Fingerprint {
 public:
  Fingerprint& add(std::span<const std::byte> bytes);
  Fingerprint& add(std::string_view text) { return add(std::as_bytes(std::span(text))); }
  template <typename Number>
  requires std::integral<Number> || std::floating_point<Number> Fingerprint& add(Number number) {
    return add(std::as_bytes(std::span(&number, 1)));
  }

  using Value = std::array<std::uint64_t, 2>;
  Value value() const;
  // 32 hexadecimal digits.
  std::string text() const;

 private:
  static constexpr std::size_t kLanes = 8;  // side by side, since a step waits for the one before
  std::array<std::uint64_t, kLanes> lanes_{1, 2, 3, 4, 5, 6, 7, 8};
};

}  // namespace alexnet
