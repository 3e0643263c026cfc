// The changes to a model that suspects are made of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tasks/diagnosis/change.h"

namespace alexnet {

// The layer of this name, if it is of this kind.
template <typename Kind>
Kind* layer_as(Model& model, const std::string& name) {
  Node* node = find(model.graph, name);
  return node == nullptr ? nullptr : std::get_if<Kind>(&node->layer);
}

// Replaces the layer, which has no weights, by another kind with the same inputs.
bool replace_layer(Model& model, const std::string& name, Layer layer);
// Whoever read `name` reads it behind `layer`, which takes over the name; what had it is called "NAME before LAYER".
bool follow_by(Model& model, const std::string& name, Layer layer);
// The layer reads its first input behind `layer`.
bool precede_by(Model& model, const std::string& name, Layer layer);
// The same for an order of the entries of axis 1: [begin, extent) first, then [0, begin).
bool follow_by_rotation(Model& model, const std::string& name, std::int64_t begin, std::int64_t extent);
bool precede_by_rotation(Model& model, const std::string& name, std::int64_t begin, std::int64_t extent);

// A tensor of the same shape whose element i is element `source(i)` of the old one.
template <typename Source>
Tensor rearranged(const Tensor& tensor, const Source& source) {
  Tensor result = Tensor::zeros(tensor.shape());
  const auto from = tensor.values<float>();
  const auto to = result.mutable_values<float>();
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[static_cast<std::size_t>(source(static_cast<std::int64_t>(i)))];
  return result;
}

}  // namespace alexnet
