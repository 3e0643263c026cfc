// How the weights of a model lie in its file: one tensor each, or several for those stored as int8.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "model/weight.h"

namespace alexnet {

// The tensors that hold this weight: NAME, or NAME.mask, NAME.values, NAME.scale.
std::vector<NamedTensor> tensors_of(const std::string& name, const Weight& weight);

// The weight of a parameter, its tensors taken out of `tensors` and checked: element types, shapes, that a mask has as many bits
// as there are values, and none behind the end of a row. What is wrong is added to `problems`, in words. Nothing if none of
// its tensors is there.
std::optional<Weight> take_weight(const NamedParameter& parameter, std::map<std::string, Tensor>& tensors,
                                  std::vector<std::string>& problems);

}  // namespace alexnet
