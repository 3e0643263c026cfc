#include "layers/window.h"

#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "alexnet/error.h"

namespace alexnet {
namespace {

constexpr std::array<std::string_view, 2> kAxisNames{"height", "width"};
constexpr std::int64_t kLargest = std::int64_t{1} << 30;

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::model, "", message); }

// How many elements a window spans. The factors are at most kLargest each.
std::int64_t span_of(const Window& window, std::size_t axis) { return (window.kernel[axis] - 1) * window.dilation[axis] + 1; }

std::int64_t output_extent(const Window& window, std::int64_t input, std::size_t axis) {
  const auto kernel = span_of(window, axis);
  const auto before = window.padding[axis];
  const auto after = window.padding[axis + 2];
  if (before > kernel || after > kernel) {
    fail(fmt::format("padding {},{} is larger than the kernel's {} {}", before, after, kAxisNames[axis], kernel));
  }
  const auto room = input + before + after - kernel;
  if (room < 0) {
    fail(fmt::format("the output vanishes: {} {} with padding {},{} is smaller than the kernel's {}", kAxisNames[axis], input,
                     before, after, kernel));
  }
  const auto stride = window.stride[axis];
  const auto last = window.rounding == Rounding::ceil ? (room + stride - 1) / stride : room / stride;
  const bool begins_behind_the_input = last * stride >= input + before;
  return last + (window.rounding == Rounding::ceil && begins_behind_the_input ? 0 : 1);
}

}  // namespace

Extent2 sliding_output(const Window& window, const Shape& input) {
  require_axes(input, "NCHW");
  const auto check = [](std::string_view parameter, const auto& values, std::int64_t minimum) {
    for (const auto value : values) {
      require_at_least(parameter, value, minimum);
      if (value > kLargest) fail(fmt::format("{} is {}, more than {}", parameter, value, kLargest));
    }
  };
  check("kernel", window.kernel, 1);
  check("stride", window.stride, 1);
  check("dilation", window.dilation, 1);
  check("padding", window.padding, 0);
  return {output_extent(window, input[2], 0), output_extent(window, input[3], 1)};
}

Extent2 pooled_output(const Window& window, const Shape& input) {
  const auto result = sliding_output(window, input);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const auto kernel = span_of(window, axis);
    const auto before = window.padding[axis];
    const auto after = window.padding[axis + 2];
    if (before >= kernel || after >= kernel) {
      fail(fmt::format("padding {},{} must be smaller than the kernel's {} {}", before, after, kAxisNames[axis], kernel));
    }
    const auto dilation = window.dilation[axis];
    if (before > 0 && dilation > input[axis + 2]) {
      fail(fmt::format("dilation {} can step over the whole {} {}", dilation, kAxisNames[axis], input[axis + 2]));
    }
  }
  return result;
}

void require_axes(const Shape& shape, std::string_view axes) {
  if (shape.rank() == axes.size()) return;
  fail(fmt::format("wants an input of shape {}, found {}", fmt::join(axes, "x"), to_string(shape)));
}

void require_channels(const Shape& shape) {
  if (shape.rank() >= 2) return;
  fail(fmt::format("wants an input with a channel axis, found {}", to_string(shape)));
}

void require_at_least(std::string_view parameter, std::int64_t value, std::int64_t minimum) {
  if (value >= minimum) return;
  fail(fmt::format("{} is {}, must be at least {}", parameter, value, minimum));
}

}  // namespace alexnet
