// Pictures put together from others, with labels.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "image/image.h"

namespace alexnet {

using Colour = std::array<std::uint8_t, 3>;  // red, green, blue

// A picture of one colour.
Image filled(int width, int height, const Colour& colour);

// Each pixel as a square of `times` x `times`.
Image magnified(const Image& image, int times);

// Puts the picture into `into` with its upper left corner at (x, y); what does not fit is cut off.
void paste(Image& into, const Image& image, int x, int y);

// Characters are 5 x 7 dots, 6 apart. ASCII alone: other bytes are drawn as question marks.
inline constexpr int kTextHeight = 7;
int text_width(std::string_view text);
// With the upper left corner at (x, y); what does not fit is cut off.
void draw_text(Image& image, int x, int y, std::string_view text, const Colour& colour);

}  // namespace alexnet
