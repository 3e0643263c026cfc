#include "tasks/diagnosis/orientation.h"

#include <algorithm>

namespace alexnet {

Image oriented(const Image& image, int orientation) {
  if (orientation == 1) return image;
  const bool turned = orientation >= 5;  // rows become columns
  Image result{.width = turned ? image.height : image.width, .height = turned ? image.width : image.height, .pixels = {}};
  result.pixels.resize(image.pixels.size());
  // Whether stored rows and columns run against the shown ones.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  std::uint8_t* dst = result.pixels.data();
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x, dst += 3) {
      int column = turned ? y : x;
      int row = turned ? x : y;
      if (flip_x) column = image.width - 1 - column;
      if (flip_y) row = image.height - 1 - row;
      std::copy_n(image.pixels.data() + 3 * (static_cast<std::size_t>(row) * static_cast<std::size_t>(image.width) +
                                             static_cast<std::size_t>(column)),
                  3, dst);
    }
  }
  return result;
}

}  // namespace alexnet
