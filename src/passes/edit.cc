#include "passes/edit.h"

#include <algorithm>

namespace alexnet {
namespace {

void erase_node(Graph& graph, const std::string& name) {
  std::erase_if(graph.nodes, [&](const Node& node) { return node.name == name; });
}

}  // namespace

bool is_kept(const Optimised& in, std::span<const std::string> keep, const std::string& name) {
  const auto stands_for_it = [&](const std::string& kept) { return in.resolved(kept) == name; };
  return std::ranges::any_of(keep, stands_for_it) || std::ranges::any_of(in.model.graph.outputs, stands_for_it);
}

const Node* only_reader(const Optimised& in, std::span<const std::string> keep, const std::string& name) {
  if (is_kept(in, keep, name)) return nullptr;
  const auto readers = consumers(in.model.graph, name);
  const bool once = readers.size() == 1 && std::ranges::count(readers.front()->inputs, name) == 1;
  return once ? readers.front() : nullptr;
}

void bypass(Optimised& in, const std::string& name) {
  Graph& graph = in.model.graph;
  const std::string input = find(graph, name)->inputs.front();
  for (auto& node : graph.nodes) std::ranges::replace(node.inputs, name, input);
  std::ranges::replace(graph.outputs, name, input);
  for (auto& [alias, target] : in.aliases) {
    if (target == name) target = input;
  }
  in.aliases[name] = input;
  erase_node(graph, name);
}

void remove(Optimised& in, const std::string& name) {
  erase_node(in.model.graph, name);
  std::erase_if(in.aliases, [&](const auto& alias) { return alias.second == name; });
}

void replace_by(Optimised& in, const std::string& name, const std::string& previous) {
  erase_node(in.model.graph, name);
  find(in.model.graph, previous)->name = name;
  std::erase_if(in.aliases, [&](const auto& alias) { return alias.second == previous; });
}

void erase_weights(Model& model, const std::string& name) {
  for (const auto& parameter : parameters(model.graph)) {
    if (parameter.layer == name) model.weights.erase(parameter.name);
  }
}

}  // namespace alexnet
