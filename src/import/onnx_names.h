// Names for layers of an imported ONNX graph.
#pragma once

#include <string>

#include "import/onnx_trace.h"

namespace alexnet {

// What people call what the op does, from the best that the file has: the name in front of ".weight" of its weight, the module that
// PyTorch's exporters say it came from, or the name of its output. Not necessarily unique.
std::string suggested_name(const OnnxOp& op, const OnnxTrace& trace);

}  // namespace alexnet
