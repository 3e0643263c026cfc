#include "image/draw.h"

#include "tests/support.h"

namespace alexnet {
namespace {

std::string dots(const Image& image) {
  std::string text;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) text += ImageView(image).row(y)[3 * x] == 0 ? '.' : '#';
    text += '\n';
  }
  return text;
}

TEST(Draw, WritesText) {
  Image image = filled(text_width("R2-"), kTextHeight, {0, 0, 0});
  draw_text(image, 0, 0, "R2-", {255, 255, 255});
  EXPECT_EQ(dots(image),
            "####...###........\n"
            "#...#.#...#.......\n"
            "#...#.....#.......\n"
            "####.....#..#####.\n"
            "#.#.....#.........\n"
            "#..#...#..........\n"
            "#...#.#####.......\n");
}

TEST(Draw, CutsOffWhatDoesNotFit) {
  Image image = filled(3, 3, {0, 0, 0});
  draw_text(image, -2, -2, "\xff?", {255, 255, 255});
  paste(image, filled(2, 2, {9, 9, 9}), 2, 2);
  paste(image, filled(2, 2, {8, 8, 8}), -1, -1);
  EXPECT_EQ(image.pixels[0], 8);
  EXPECT_EQ(image.pixels.back(), 9);
  EXPECT_EQ(image.pixels.size(), 27u);
}

TEST(Draw, Magnifies) {
  Image image{.width = 2, .height = 1, .pixels = {0, 0, 0, 255, 255, 255}};
  EXPECT_EQ(dots(magnified(image, 2)), "..##\n..##\n");
}

}  // namespace
}  // namespace alexnet
