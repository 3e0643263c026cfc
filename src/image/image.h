#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace alexnet {

// A picture of 8-bit RGB: rows from top to bottom, pixels from left to right, 3 bytes each.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

// Looks at a picture, or at a rectangle inside one.
struct ImageView {
  ImageView() = default;
  ImageView(const Image& image)
      : pixels(image.pixels.data()), width(image.width), height(image.height), stride(3 * static_cast<std::size_t>(image.width)) {}

  const std::uint8_t* row(int y) const { return pixels + static_cast<std::size_t>(y) * stride; }
  // The rectangle must lie inside.
  ImageView rectangle(int x, int y, int rectangle_width, int rectangle_height) const;

  const std::uint8_t* pixels = nullptr;
  int width = 0;
  int height = 0;
  std::size_t stride = 0;  // bytes from one row to the next
};

inline ImageView ImageView::rectangle(int x, int y, int rectangle_width, int rectangle_height) const {
  ImageView view = *this;
  view.pixels = row(y) + 3 * static_cast<std::size_t>(x);
  view.width = rectangle_width;
  view.height = rectangle_height;
  return view;
}

}  // namespace alexnet
