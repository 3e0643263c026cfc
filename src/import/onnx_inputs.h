// Which inputs of an ONNX graph are data, and which must be known before it can be made into layers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/onnx.h"
#include "import/onnx_trace.h"

namespace alexnet {

struct OnnxInputs {
  std::vector<std::pair<std::string, Tensor>> bound;      // taken from the options' values
  std::vector<std::pair<std::string, Extents>> run_time;  // the first extent is kBatch if the batch is free
  std::optional<std::int64_t> written_batch;              // the first extent that the file says, if all say the same
  std::vector<OnnxProblem> problems;
};

// `nodes` are those that the graph's outputs depend on.
OnnxInputs onnx_inputs(const OnnxGraph& graph, const std::vector<const OnnxNode*>& nodes, const OnnxTraceOptions& options);

}  // namespace alexnet
