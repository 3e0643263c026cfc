#include "tasks/diagnosis/edit.h"

#include <fmt/format.h>

namespace alexnet {
namespace {

std::vector<Node>::iterator place_of(Graph& graph, const std::string& name) {
  return std::ranges::find(graph.nodes, name, &Node::name);
}

// The node gets another name, which nobody reads yet.
void rename(Model& model, Node& node, const std::string& name) {
  Weights renamed;
  for (const auto& [key, weight] : model.weights) {
    const auto dot = key.rfind('.');
    renamed[key.substr(0, dot) == node.name ? name + key.substr(dot) : key] = weight;
  }
  model.weights = std::move(renamed);
  node.name = name;
}

// Two slices of the values `source` and their concatenation in the other order.
std::vector<Node> rotation(const std::string& source, const std::string& name, std::int64_t begin, std::int64_t extent) {
  const std::string front = name + " front";
  const std::string back = name + " back";
  return {{front, Slice{.axis = 1, .begin = 0, .count = begin}, {source}},
          {back, Slice{.axis = 1, .begin = begin, .count = extent - begin}, {source}},
          {name, Concat{.axis = 1}, {back, front}}};
}

bool follow_by(Model& model, const std::string& name, const std::string& what, const auto& make) {
  auto place = place_of(model.graph, name);
  if (place == model.graph.nodes.end()) return false;
  const std::string before = fmt::format("{} before {}", name, what);
  rename(model, *place, before);
  const std::vector<Node> made = make(before);
  model.graph.nodes.insert(place + 1, made.begin(), made.end());
  return true;
}

bool precede_by(Model& model, const std::string& name, const std::string& what, const auto& make) {
  auto place = place_of(model.graph, name);
  if (place == model.graph.nodes.end()) return false;
  const std::string between = fmt::format("{} behind {}", what, name);
  const std::vector<Node> made = make(place->inputs[0], between);
  place->inputs[0] = between;
  model.graph.nodes.insert(place, made.begin(), made.end());
  return true;
}

}  // namespace

bool replace_layer(Model& model, const std::string& name, Layer layer) {
  Node* node = find(model.graph, name);
  if (node == nullptr) return false;
  node->layer = std::move(layer);
  return true;
}

bool follow_by(Model& model, const std::string& name, Layer layer) {
  return follow_by(model, name, std::string(kind(layer)), [&](const std::string& before) {
    return std::vector<Node>{{name, layer, {before}}};
  });
}

bool precede_by(Model& model, const std::string& name, Layer layer) {
  return precede_by(model, name, std::string(kind(layer)), [&](const std::string& source, const std::string& between) {
    return std::vector<Node>{{between, layer, {source}}};
  });
}

bool follow_by_rotation(Model& model, const std::string& name, std::int64_t begin, std::int64_t extent) {
  return follow_by(model, name, "rotation", [&](const std::string& before) { return rotation(before, name, begin, extent); });
}

bool precede_by_rotation(Model& model, const std::string& name, std::int64_t begin, std::int64_t extent) {
  return precede_by(model, name, "rotation", [&](const std::string& source, const std::string& between) {
    return rotation(source, between, begin, extent);
  });
}

}  // namespace alexnet
