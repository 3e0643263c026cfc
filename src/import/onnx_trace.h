// An ONNX graph followed from its inputs to its outputs before it is made into layers: shape arithmetic is computed, conditions are
// decided, what only passes values on is gone. What remains are the nodes that compute something when the network runs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/onnx.h"
#include "import/onnx_fold.h"
#include "import/onnx_shapes.h"
#include "import/onnx_values.h"
#include "layers/lrn.h"

namespace alexnet {

struct OnnxOp {
  OnnxNode node;      // inputs and outputs are names in the trace
  std::string label;  // for messages
  // A chain of operators that was recognised as a response normalisation; node is then its last one, its input that of the chain.
  std::optional<Lrn> lrn;
};

// Something that can't be imported.
struct OnnxProblem {
  enum class Kind {
    plain,
    mixes_batch,  // would be none for a batch of one size
    no_batch,     // the inputs don't share a batch
  };
  std::string text;
  Kind kind = Kind::plain;
};

struct OnnxTrace {
  std::int64_t opset = 0;
  std::optional<std::int64_t> written_batch;                 // the size of the batch that the file was made for, if it is one
  bool batch_is_free = true;                                 // whether the first extent of each value is kBatch
  std::vector<std::string> inputs;                           // those that are known only when the network runs
  std::vector<std::pair<std::string, std::string>> outputs;  // the graph's name, the value's name
  std::vector<OnnxOp> ops;                                   // each after those that it reads
  std::map<std::string, OnnxConstant> constants;
  std::map<std::string, Extents> extents;  // of values that are no constants
  std::vector<OnnxProblem> problems;
  std::vector<std::string> unused;  // initializers that no output depends on
  std::vector<std::string> notes;   // what was done that a reader of the report should know
  FoldBudget budget{0};             // what is left of it

  // What an op reads in each place.
  std::vector<OnnxOperand> operands(const OnnxNode& node) const;
};

struct OnnxTraceOptions {
  bool batch_is_free = true;
  // Values for inputs, by name. Inputs that the graph needs before it runs (as weights, as shapes) take theirs from here; of the
  // others, only the extents are used.
  std::map<std::string, Tensor> values;
};

// Throws Error of kind model for a graph that contradicts itself (see onnx_order.h); what can't be imported comes as problems, all
// of them. `where` names the file.
OnnxTrace trace(const OnnxModel& model, const OnnxTraceOptions& options, const std::string& where);

// Drops the ops whose outputs nothing needs any more.
void drop_unneeded(OnnxTrace& trace);

}  // namespace alexnet
