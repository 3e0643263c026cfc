// A piece cut out of a model.
#pragma once

#include <map>
#include <set>
#include <string>

#include "model/model.h"

namespace alexnet {

// The model whose output is `layer` and whose inputs are those values of `given` that it is made of; `layer` itself is computed
// even if it is given. `shapes` are those of infer_shapes() for a batch of one. Everything that `layer` needs must come from
// `given` in the end.
Model part_of(const Model& model, const std::map<std::string, Shape>& shapes, const std::string& layer,
              const std::set<std::string>& given);

}  // namespace alexnet
