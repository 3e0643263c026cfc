#include "layers/window.h"

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"

namespace alexnet {
namespace {

constexpr std::array<std::string_view, 2> kAxisNames{"height", "width"};

// One beyond the position of the last tap of a window.
std::int64_t dilated(std::int64_t kernel, std::int64_t dilation) {
  const auto reach = checked_multiply(kernel - 1, dilation);
  const auto size = reach ? checked_add<std::int64_t>(*reach, 1) : std::nullopt;
  if (!size) throw Error(ErrorKind::model, "", fmt::format("kernel {} with dilation {} is too large", kernel, dilation));
  return *size;
}

std::int64_t output_extent(const Window& window, std::int64_t input, std::size_t axis) {
  const auto kernel = dilated(window.kernel[axis], window.dilation[axis]);
  const auto before = window.padding[axis];
  const auto after = window.padding[axis + 2];
  if (before >= kernel || after >= kernel) {
    throw Error(ErrorKind::model, "",
                fmt::format("padding {},{} must be smaller than the kernel's {} {}", before, after, kAxisNames[axis], kernel));
  }
  const auto room = input + before + after - kernel;
  const auto stride = window.stride[axis];
  if (room < 0) {
    throw Error(ErrorKind::model, "",
                fmt::format("the output vanishes: {} {} with padding {},{} is smaller than the kernel's {}", kAxisNames[axis],
                            input, before, after, kernel));
  }
  const auto rounded_up = window.rounding == Rounding::ceil ? (room + stride - 1) / stride : room / stride;
  const auto last = rounded_up * stride;
  return rounded_up + (last >= input + before && rounded_up > 0 ? 0 : 1);
}

}  // namespace

Extent2 sliding_output(const Window& window, const Shape& input) {
  require_rank(input, 4);
  static constexpr std::int64_t kLargest = std::int64_t{1} << 30;
  const auto check = [](std::string_view parameter, const auto& values, std::int64_t minimum) {
    for (const auto value : values) {
      require_at_least(parameter, value, minimum);
      if (value > kLargest) throw Error(ErrorKind::model, "", fmt::format("{} is {}, more than {}", parameter, value, kLargest));
    }
  };
  check("kernel", window.kernel, 1);
  check("stride", window.stride, 1);
  check("dilation", window.dilation, 1);
  check("padding", window.padding, 0);
  return {output_extent(window, input[2], 0), output_extent(window, input[3], 1)};
}

void require_rank(const Shape& shape, std::size_t rank) {
  if (shape.rank() == rank) return;
  throw Error(ErrorKind::model, "", fmt::format("wants an input of rank {}, found {}", rank, to_string(shape)));
}

void require_at_least(std::string_view parameter, std::int64_t value, std::int64_t minimum) {
  if (value >= minimum) return;
  throw Error(ErrorKind::model, "", fmt::format("{} is {}, must be at least {}", parameter, value, minimum));
}

}  // namespace alexnet
