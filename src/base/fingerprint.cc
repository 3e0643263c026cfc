#include "base/fingerprint.h"

#include <bit>
#include <cstring>

#include <fmt/format.h>

namespace alexnet {
namespace {

constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15;  // odd, without a pattern: 2^64 over the golden ratio

// Each step can be undone, so that words that differ leave states that differ.
std::uint64_t step(std::uint64_t state, std::uint64_t word) { return std::rotl(state ^ word, 31) * kFactor; }

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 32) * kFactor;
  x = (x ^ x >> 29) * kFactor;
  return x ^ x >> 32;
}

}  // namespace

Fingerprint& Fingerprint::add(std::span<const std::byte> bytes) {
  constexpr std::size_t kBlock = kLanes * sizeof(std::uint64_t);
  auto lanes = lanes_;
  const auto take = [&lanes](const std::byte* from) {
    std::uint64_t words[kLanes];
    std::memcpy(words, from, sizeof words);
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = step(lanes[i], words[i]);
  };
  std::size_t at = 0;
  for (; at + kBlock <= bytes.size(); at += kBlock) take(bytes.data() + at);
  std::array<std::byte, kBlock> rest{};
  if (at < bytes.size()) {
    std::memcpy(rest.data(), bytes.data() + at, bytes.size() - at);
    take(rest.data());
  }
  // What is added next does not continue it.
  lanes[0] = step(lanes[0], bytes.size());
  lanes_ = lanes;
  return *this;
}

Fingerprint::Value Fingerprint::value() const {
  Value result{0, 1};
  for (const std::uint64_t lane : lanes_) {
    result[0] = step(result[0], mixed(lane));
    result[1] = step(result[1], mixed(lane + result[0]));
  }
  return {mixed(result[0]), mixed(result[1])};
}

std::string Fingerprint::text() const {
  const auto [first, second] = value();
  return fmt::format("{:016x}{:016x}", first, second);
}

}  // namespace alexnet
