// Weights and inputs that C++ and Python (tools/dump_reference.py) make alike from their names, so that no test needs a file of
// weights.
#pragma once

#include <string_view>

#include "model/model.h"
#include "tensor/tensor.h"

namespace alexnet::test {

// Uniform in [-limit, limit): generated() of tests/layers/golden.h, seeded with the FNV-1a hash of the name.
Tensor generated_tensor(const Shape& shape, std::string_view name, double limit);

// All weights that a graph wants: `weight` within sqrt(6 / fan-in) (He et al. 2015), `bias`, `mean` and `offset` within 0.1,
// `variance`, `moment` and `scale` from 0.75 to 1.25.
Model generated_model(Graph graph);

// The same network with a quarter of the channels and a sixteenth of the features: each layer keeps its kind and its windows.
Graph narrow(Graph graph);

}  // namespace alexnet::test
