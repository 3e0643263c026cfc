#include "passes/linear_node.h"

#include <utility>

namespace alexnet {

std::optional<LinearNode> linear_node(Node* node) {
  if (node == nullptr) return std::nullopt;
  if (auto* layer = std::get_if<Convolution>(&node->layer)) {
    return LinearNode{&layer->bias, layer->groups, layer->padding != Padding4{}};
  }
  if (auto* layer = std::get_if<Linear>(&node->layer)) return LinearNode{&layer->bias, 1, false};
  return std::nullopt;
}

LinearWeights weights_of(const Model& model, const std::string& name) {
  const auto bias = model.weights.find(name + ".bias");
  return {model.weights.at(name + ".weight"), bias == model.weights.end() ? std::nullopt : std::optional(bias->second)};
}

void set_weights(Model& model, const std::string& name, LinearWeights weights) {
  model.weights[name + ".weight"] = std::move(weights.weight);
  model.weights[name + ".bias"] = std::move(*weights.bias);
}

}  // namespace alexnet
