#include "import/onnx_window.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "import/onnx_attributes.h"

namespace alexnet {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 30;

[[noreturn]] void fail(std::string message) { throw Error(ErrorKind::model, "", std::move(message)); }

void require(std::string_view what, const std::vector<std::int64_t>& values, std::size_t count, std::int64_t least) {
  if (values.size() != count) fail(fmt::format("{} has {} values, {} are wanted", what, values.size(), count));
  for (const auto value : values) {
    if (value < least || value > kLargest) fail(fmt::format("{} is {}", what, fmt::join(values, ",")));
  }
}

std::int64_t span_of(const OnnxWindow& window, std::size_t axis) { return (window.kernel[axis] - 1) * window.dilation[axis] + 1; }

}  // namespace

OnnxWindow window_of(const OnnxNode& node, const Extents& spatial, const std::vector<std::int64_t>& kernel) {
  const auto axes = spatial.size();
  const std::vector<std::int64_t> ones(axes, 1);
  OnnxWindow window{.kernel = ints_attribute(node, "kernel_shape", kernel),
                    .stride = ints_attribute(node, "strides", ones),
                    .dilation = ints_attribute(node, "dilations", ones),
                    .before = {},
                    .after = {},
                    .ceil = int_attribute(node, "ceil_mode", 0) != 0};
  require("kernel_shape", window.kernel, axes, 1);
  require("strides", window.stride, axes, 1);
  require("dilations", window.dilation, axes, 1);
  auto pads = ints_attribute(node, "pads", std::vector<std::int64_t>(2 * axes, 0));
  require("pads", pads, 2 * axes, 0);
  window.before.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  window.after.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
  const auto automatic = text_attribute(node, "auto_pad", "NOTSET");
  if (automatic == "NOTSET" || automatic.empty()) return window;
  if (automatic != "VALID" && automatic != "SAME_UPPER" && automatic != "SAME_LOWER")
    fail(fmt::format("auto_pad is {}", shown(automatic)));
  for (std::size_t axis = 0; axis < axes; ++axis) {
    window.before[axis] = window.after[axis] = 0;
    if (automatic == "VALID") continue;
    const auto outputs = (spatial[axis] + window.stride[axis] - 1) / window.stride[axis];
    const auto total = std::max<std::int64_t>((outputs - 1) * window.stride[axis] + span_of(window, axis) - spatial[axis], 0);
    window.before[axis] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
    window.after[axis] = total - window.before[axis];
  }
  return window;
}

Extents sliding_extents(const OnnxWindow& window, const Extents& spatial) {
  Extents result;
  for (std::size_t axis = 0; axis < spatial.size(); ++axis) {
    const auto room = spatial[axis] + window.before[axis] + window.after[axis] - span_of(window, axis);
    if (room < 0) fail(fmt::format("the output vanishes: its window is larger than the padded input {}", to_string(spatial)));
    const auto stride = window.stride[axis];
    const auto last = window.ceil ? (room + stride - 1) / stride : room / stride;
    const bool begins_behind_the_input = last * stride >= spatial[axis] + window.before[axis];
    result.push_back(last + (window.ceil && begins_behind_the_input ? 0 : 1));
  }
  return result;
}

}  // namespace alexnet
