// The only door to stb_image. It trusts sizes more than a stranger's file deserves: callers hand it nothing whose header
// they have not checked, and it gets no single block of memory larger than they allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

namespace alexnet {

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

template <typename Sample>
struct StbPicture {
  std::unique_ptr<Sample[], Free> samples;  // rows of interleaved channels; null when decoding failed
  int width = 0;
  int height = 0;
  std::string failure;        // stb_image's word for it
  bool memory_ended = false;  // it wanted a larger block than allowed
};

// Channels: 3, alpha dropped. 16-bit samples give their high byte.
StbPicture<std::uint8_t> stb_rgb(std::span<const std::uint8_t> bytes, std::size_t largest_block);
// Channels: 1.
StbPicture<std::uint16_t> stb_grey16(std::span<const std::uint8_t> bytes, std::size_t largest_block);

}  // namespace alexnet
