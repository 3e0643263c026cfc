// A model made ready to run: through the passes, compiled, its outputs under the names that were asked for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/model.h"
#include "runtime/network.h"

namespace alexnet {

struct NamedNetwork {
  std::shared_ptr<const Network> network;
  std::vector<TensorInfo> outputs;      // as asked for, in that order
  std::vector<std::size_t> positions;   // of each in network->outputs(); a dropout and its input are the same values
  std::vector<std::string> pass_notes;  // what the passes did, a line for each change
};

// With the model's own outputs.
NamedNetwork compile_named(const Model& model, const CompileOptions& options);
// With these layers (or inputs, as "data") as outputs instead; what none of them needs is not computed. Throws Error of kind
// usage for a name that is not in the network, with the likely one, and for a name given twice; and what compile() throws.
NamedNetwork compile_named(const Model& model, const std::vector<std::string>& layers, const CompileOptions& options);

// The network with its scores before softmax as the only output.
NamedNetwork compile_for_scores(const Model& model, const CompileOptions& options);

}  // namespace alexnet
