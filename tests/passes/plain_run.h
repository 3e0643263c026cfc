// Runs a model by the layers' references alone.
#pragma once

#include <map>
#include <string>

#include "model/model.h"

namespace alexnet::test {

// Every value by its name, for these inputs (of one batch size).
std::map<std::string, Tensor> plain_run(const Model& model, std::map<std::string, Tensor> values);

// A model of this graph with generated weights in [-1, 1), variances and moments in [0.1, 4), and names of weights as the graph
// wants them.
Model generated_model(Graph graph);

}  // namespace alexnet::test
