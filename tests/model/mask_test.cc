#include "model/mask.h"

#include <bit>
#include <random>
#include <vector>

namespace alexnet {
namespace {

TEST(Mask, CountsBitsOfAnyNumberOfBytes) {
  std::mt19937 generator(1);
  constexpr std::size_t kBlock = 31 * 64 * 8;  // what the vector code counts in one go
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{9}, kBlock - 1, kBlock, kBlock + 1, 3 * kBlock + 77}) {
    std::vector<std::uint8_t> bytes(size);
    std::int64_t wanted = 0;
    for (auto& byte : bytes) wanted += std::popcount(byte = static_cast<std::uint8_t>(generator()));
    EXPECT_EQ(set_bits(std::as_bytes(std::span(bytes))), wanted) << size;
    bytes.assign(size, 0xff);
    EXPECT_EQ(set_bits(std::as_bytes(std::span(bytes))), static_cast<std::int64_t>(8 * size)) << size;
  }
}

TEST(Mask, FindsBitsBehindARow) {
  const Rows ten = rows({3, 10});
  std::vector<std::uint8_t> mask{0xff, 0x03, 0, 0, 0xff, 0x03};
  EXPECT_TRUE(padding_is_zero(std::as_bytes(std::span(mask)), ten));
  for (const std::size_t byte : {1, 3, 5}) {
    auto broken = mask;
    broken[byte] = static_cast<std::uint8_t>(broken[byte] | 0x04);
    EXPECT_FALSE(padding_is_zero(std::as_bytes(std::span(broken)), ten)) << byte;
  }
  const std::vector<std::uint8_t> full(4, 0xff);
  EXPECT_TRUE(padding_is_zero(std::as_bytes(std::span(full)), rows({2, 16})));
}

}  // namespace
}  // namespace alexnet
