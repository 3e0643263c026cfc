// How far two right computations of the same network may be apart, from the arithmetic of its layers; docs/compare.md derives it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/network.h"
#include "tensor/tensor.h"

namespace alexnet {

struct LayerRounding {
  // Root mean squares of errors, as parts of the root mean square of the values.
  double made = 0;       // by the layer's own arithmetic, here and in the reference together
  double condition = 1;  // what an error of 1 in the layer's inputs becomes in its output
  // The same for the largest error as part of the largest value; 0 for layers that add up many numbers, where errors average.
  double peak_condition = 0;
};

struct Roundings {
  std::map<std::string, LayerRounding> layers;
  double given = 0;  // of values taken from the reference
};

// For a network with this plan, as far as `layers` need it. `inputs` are some pictures of the reference: conditions are measured on
// them, layer by layer. `reference` is the type of the reference's values.
Roundings roundings(const Model& model, const std::vector<std::string>& layers, const std::map<std::string, Tensor>& inputs,
                    const Plan& plan, ElementType reference, const CompileOptions& options);

// The largest part of the largest magnitude of `layer` that its values may be off, when those of `given` are the reference's.
double allowed(const Roundings& roundings, const Graph& graph, const std::string& layer, const std::set<std::string>& given);

}  // namespace alexnet
