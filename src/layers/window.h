// Sliding windows over the two spatial axes, as convolutions and pools share them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tensor/shape.h"

namespace alexnet {

using Extent2 = std::array<std::int64_t, 2>;   // height, width
using Padding4 = std::array<std::int64_t, 4>;  // top, left, bottom, right

enum class Rounding {
  floor,  // the last window lies inside the padded input
  ceil,   // a last window may hang over the end, but must begin inside the input or the leading padding
};

struct Window {
  Extent2 kernel{};
  Extent2 stride{1, 1};
  Padding4 padding{};
  Extent2 dilation{1, 1};
  Rounding rounding = Rounding::floor;
};

// The (height, width) of the output for an input of shape (N, C, H, W). Throws Error of kind model for an input of another
// rank, parameters out of range (zero kernel or stride, negative padding, padding larger than the dilated kernel), and
// an output that vanishes.
Extent2 sliding_output(const Window& window, const Shape& input);
// The same for a pool, each of whose windows must see the input: refuses padding as large as the kernel too, and with padding
// a dilation so large that the taps may step over the whole input.
Extent2 pooled_output(const Window& window, const Shape& input);

// Throws Error of kind model unless the shape has this many axes, named by their letters: "NCHW", "NC".
void require_axes(const Shape& shape, std::string_view axes);
// Throws Error of kind model unless the shape has a second axis, of channels.
void require_channels(const Shape& shape);
// Throws Error of kind model unless value >= minimum; the message names the parameter.
void require_at_least(std::string_view parameter, std::int64_t value, std::int64_t minimum);

}  // namespace alexnet
