// The changes to a graph that passes are made of.
#pragma once

#include <span>
#include <string>

#include "passes/passes.h"

namespace alexnet {

// Whether the values of this name must stay computable.
bool is_kept(const Optimised& in, std::span<const std::string> keep, const std::string& name);

// The one node that reads `name`, if it is the only one and nobody else needs the values; nullptr otherwise.
const Node* only_reader(const Optimised& in, std::span<const std::string> keep, const std::string& name);

// Removes the node `name`, which computes nothing: whoever reads it reads its input, and so does its alias.
void bypass(Optimised& in, const std::string& name);

// Removes the node `name`, whose values nothing reads any more, and its aliases.
void remove(Optimised& in, const std::string& name);

// Removes the node `name` and gives its name to the node `previous`, which now makes its values; what `previous` made is gone.
void replace_by(Optimised& in, const std::string& name, const std::string& previous);

// Removes the weights of the layer `name`, which must still stand in the graph.
void erase_weights(Model& model, const std::string& name);

}  // namespace alexnet
