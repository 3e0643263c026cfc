#include "model/mask.h"

#include <algorithm>
#include <cstring>

namespace alexnet {
namespace {

// The number of bits set in each byte, in that byte.
std::uint64_t bits_in_bytes(std::uint64_t n) {
  n -= n >> 1 & 0x5555555555555555;
  n = (n & 0x3333333333333333) + (n >> 2 & 0x3333333333333333);
  return (n + (n >> 4)) & 0x0f0f0f0f0f0f0f0f;
}

std::int64_t added_bytes(std::uint64_t bytes) {
  const std::uint64_t pairs = (bytes & 0x00ff00ff00ff00ff) + (bytes >> 8 & 0x00ff00ff00ff00ff);
  return static_cast<std::int64_t>(pairs * 0x0001000100010001 >> 48);
}

}  // namespace

// Masks are counted each time a model is loaded. The baseline instruction set has no instruction for it, so eight bytes of
// sums are added up side by side, in a form that compilers turn into vector code: a byte holds the sums of 31 words.
std::int64_t set_bits(std::span<const std::byte> bytes) {
  constexpr std::size_t kWords = 31;
  constexpr std::size_t kLanes = 64;
  constexpr std::size_t kBlock = kWords * kLanes * 8;
  std::int64_t total = 0;
  std::size_t at = 0;
  for (; at + kBlock <= bytes.size(); at += kBlock) {
    std::uint64_t sums[kLanes] = {};
    for (std::size_t word = 0; word < kWords; ++word) {
      std::uint64_t x[kLanes];
      std::memcpy(x, bytes.data() + at + word * sizeof x, sizeof x);
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += bits_in_bytes(x[lane]);
      }
    }
    for (const std::uint64_t sum : sums) total += added_bytes(sum);
  }
  while (at < bytes.size()) {
    std::uint64_t sum = 0;
    for (std::size_t word = 0; word < kWords && at < bytes.size(); ++word, at += 8) {
      std::uint64_t x = 0;
      std::memcpy(&x, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
      sum += bits_in_bytes(x);
    }
    total += added_bytes(sum);
  }
  return total;
}

bool padding_is_zero(std::span<const std::byte> mask, const Rows& rows) {
  const auto used = rows.elements % 8;
  if (used == 0) return true;
  const auto step = static_cast<std::size_t>(rows.mask_bytes);
  for (std::size_t last = step - 1; last < mask.size(); last += step) {
    if ((mask[last] >> used) != std::byte{0}) return false;
  }
  return true;
}

}  // namespace alexnet
