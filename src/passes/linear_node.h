// Convolutions and linear layers, by what both have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "passes/channel_affine.h"

namespace alexnet {

struct LinearNode {
  bool* bias;  // of the node's layer
  std::int64_t groups;
  bool pads;
};

// Nothing for nullptr and for other layers.
std::optional<LinearNode> linear_node(Node* node);

LinearWeights weights_of(const Model& model, const std::string& name);
// The weights must have a bias.
void set_weights(Model& model, const std::string& name, LinearWeights weights);

}  // namespace alexnet
