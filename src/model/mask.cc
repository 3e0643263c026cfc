#include "model/mask.h"

#include <bit>
#include <cstring>

namespace alexnet {

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
        std::uint64_t n = x[lane];
        n -= n >> 1 & 0x5555555555555555;
        n = (n & 0x3333333333333333) + (n >> 2 & 0x3333333333333333);
        sums[lane] += (n + (n >> 4)) & 0x0f0f0f0f0f0f0f0f;
      }
    }
    for (std::uint64_t sum : sums) {
      sum = (sum & 0x00ff00ff00ff00ff) + (sum >> 8 & 0x00ff00ff00ff00ff);
      total += static_cast<std::int64_t>(sum * 0x0001000100010001 >> 48);
    }
  }
  for (; at < bytes.size(); ++at) total += std::popcount(static_cast<std::uint8_t>(bytes[at]));
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
