// The picture that the known answers are about.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/sha256.h"
#include "image/image.h"

namespace alexnet::test {

// p(x, y, c) = (37x + 91y + 13xy + 59c) mod 256.
inline Image known_picture(int width, int height) {
  Image image{.width = width, .height = height, .pixels = {}};
  for (std::uint64_t y = 0; y < static_cast<std::uint64_t>(height); ++y) {
    for (std::uint64_t x = 0; x < static_cast<std::uint64_t>(width); ++x) {
      for (std::uint64_t c = 0; c < 3; ++c)
        image.pixels.push_back(static_cast<std::uint8_t>(37 * x + 91 * y + 13 * x * y + 59 * c));
    }
  }
  return image;
}

template <typename T>
std::string sha256_of(const T& values) {
  return sha256(std::as_bytes(std::span(values)));
}

}  // namespace alexnet::test
