// ONNX's sliding windows over any number of spatial axes, with its ways to say the padding.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/onnx.h"
#include "import/onnx_values.h"

namespace alexnet {

struct OnnxWindow {
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> stride;
  std::vector<std::int64_t> dilation;
  std::vector<std::int64_t> before;  // padding
  std::vector<std::int64_t> after;
  bool ceil = false;
};

// From a node's attributes, for an input with these spatial extents; `kernel` is used where the attribute kernel_shape is absent.
// Throws Error of kind model for parameters that do not fit or are out of range.
OnnxWindow window_of(const OnnxNode& node, const Extents& spatial, const std::vector<std::int64_t>& kernel);

// The spatial extents of the output.
Extents sliding_extents(const OnnxWindow& window, const Extents& spatial);

}  // namespace alexnet
