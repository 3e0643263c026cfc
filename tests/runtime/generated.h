// Numbers that C++ and Python make alike from a name and an index, so that no test needs a file of weights.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/model.h"
#include "tensor/tensor.h"

namespace alexnet::test {

// Element `index` of the tensor called `name`: uniform in [-1, 1), a multiple of 2^-23.
// tools/dump_reference.py has the same function.
float generated(std::string_view name, std::uint32_t index);

// A tensor of `limit * generated(name, i)`, rounded to f32 once.
Tensor generated_tensor(const Shape& shape, std::string_view name, float limit = 1);

// All weights that a graph wants: `weight` within sqrt(6 / fan-in) (He et al. 2015), `bias`, `mean` and `offset` within 0.1,
// `variance` and `scale` in [0.75, 1.25).
Weights generated_weights(const Graph& graph);

Model generated_model(Graph graph);

}  // namespace alexnet::test
