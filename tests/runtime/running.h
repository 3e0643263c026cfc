// Compiling and running in one call.
#pragma once

#include <vector>

#include "runtime/network.h"
#include "tensor/tensor.h"

namespace alexnet::test {

// Each output for these inputs (batch first), in the order of network.outputs().
std::vector<Tensor> run(Session& session, const Network& network, const std::vector<Tensor>& inputs);
std::vector<Tensor> run(const Model& model, const std::vector<Tensor>& inputs, const CompileOptions& options = {});

// The step that computes a layer; nullptr if none does.
const PlanStep* step_of(const Plan& plan, const std::string& layer);
// Its implementation, or "none".
std::string implementation_of(const Plan& plan, const std::string& layer);

// A range for the input and for every layer: what a run in f32 shows.
void add_ranges(Model& model, const Tensor& x);

}  // namespace alexnet::test
