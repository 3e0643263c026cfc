#include "graph/graph.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

std::string layer_at(const Node& node) { return fmt::format("layer {}", shown(node.name)); }

[[noreturn]] void fail(const std::string& where, const std::string& message, const std::string& hint = {}) {
  throw Error(ErrorKind::model, where, message, hint);
}

// Whoever allocates multiplies by element sizes and adds paddings: far below what overflows.
void require_countable(const Shape& shape, const std::string& where) {
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;
  const auto countable = Shape::make(shape.extents());
  if (!countable || countable->elements() > kMaxElements) {
    fail(where, fmt::format("{} has more than {} elements", to_string(shape), kMaxElements));
  }
}

std::set<std::string> checked_names(const Graph& graph) {
  std::set<std::string> names;
  const auto add = [&](const std::string& name, const char* what) {
    if (name.empty()) fail("graph", fmt::format("{} has no name", what));
    if (!names.insert(name).second) fail("graph", fmt::format("the name {} is used twice", shown(name)));
  };
  for (const auto& input : graph.inputs) add(input.name, "an input");
  for (const auto& node : graph.nodes) add(node.name, "a layer");
  return names;
}

void check_references(const Graph& graph, const std::set<std::string>& names) {
  const std::vector<std::string> known(names.begin(), names.end());
  const auto require = [&](const std::string& where, const std::string& name) {
    if (names.contains(name)) return;
    const auto likely = nearest(name, known);
    fail(where, fmt::format("reads {}, which no layer makes", shown(name)),
         likely ? fmt::format("did you mean {}?", shown(*likely)) : "");
  };
  for (const auto& node : graph.nodes) {
    const auto [least, most] = input_count(node.layer);
    if (node.inputs.size() < least || node.inputs.size() > most) {
      const auto wanted = least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
      fail(layer_at(node),
           fmt::format("{} takes {} input{}, found {}", kind(node.layer), wanted, most == 1 ? "" : "s", node.inputs.size()));
    }
    for (const auto& input : node.inputs) require(layer_at(node), input);
  }
  for (const auto& output : graph.outputs) require("graph output", output);
}

// The names along a cycle. Every node waits for another of them.
std::vector<std::string> cycle_among(const std::vector<Node>& waiting) {
  std::vector<std::string> path{waiting.front().name};
  for (;;) {
    const auto node = std::ranges::find(waiting, path.back(), &Node::name);
    const auto next = std::ranges::find_if(
        node->inputs, [&](const auto& name) { return std::ranges::find(waiting, name, &Node::name) != waiting.end(); });
    const auto seen = std::ranges::find(path, *next) - path.begin();
    path.push_back(*next);
    if (seen + 1 < std::ssize(path)) return {path.begin() + seen, path.end()};
  }
}

std::vector<Node> ordered(std::vector<Node> nodes, const std::vector<GraphInput>& inputs) {
  std::set<std::string> made;
  for (const auto& input : inputs) made.insert(input.name);
  std::vector<Node> result;
  const auto ready = [&](const Node& node) {
    return std::ranges::all_of(node.inputs, [&](const auto& name) { return made.contains(name); });
  };
  while (!nodes.empty()) {
    const auto next = std::ranges::find_if(nodes, ready);
    if (next == nodes.end()) {
      std::vector<std::string> cycle;
      for (const auto& name : cycle_among(nodes)) cycle.push_back(shown(name));
      fail("layer " + cycle.front(), "is part of a cycle: " + join(cycle, " reads "));
    }
    made.insert(next->name);
    result.push_back(std::move(*next));
    nodes.erase(next);
  }
  return result;
}

}  // namespace

Graph checked(Graph graph) {
  constexpr std::size_t kMaxNodes = 2'000;
  if (graph.nodes.size() > kMaxNodes) fail("graph", fmt::format("has {} layers, more than {}", graph.nodes.size(), kMaxNodes));
  if (graph.inputs.empty()) fail("graph", "has no input");
  if (graph.outputs.empty()) fail("graph", "has no output");
  check_references(graph, checked_names(graph));
  graph.nodes = ordered(std::move(graph.nodes), graph.inputs);
  return graph;
}

const Node* find(const Graph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  return found == graph.nodes.end() ? nullptr : &*found;
}

Node* find(Graph& graph, const std::string& name) { return const_cast<Node*>(find(std::as_const(graph), name)); }

std::vector<const Node*> consumers(const Graph& graph, const std::string& name) {
  std::vector<const Node*> result;
  for (const auto& node : graph.nodes) {
    if (std::ranges::find(node.inputs, name) != node.inputs.end()) result.push_back(&node);
  }
  return result;
}

std::map<std::string, Shape> infer_shapes(const Graph& graph, std::int64_t batch) {
  std::map<std::string, Shape> shapes;
  for (const auto& input : graph.inputs) {
    const Shape shape = input.shape.with_batch(batch);
    require_countable(shape, fmt::format("input {}", shown(input.name)));
    shapes[input.name] = shape;
  }
  for (const auto& node : graph.nodes) {
    const auto inputs = input_shapes(node, shapes);
    try {
      const Shape shape = output_shape(node.layer, inputs);
      require_countable(shape, "");
      shapes[node.name] = shape;
    } catch (const Error& error) {
      std::vector<std::string> fed;
      for (std::size_t i = 0; i < inputs.size(); ++i)
        fed.push_back(fmt::format("{} ({})", shown(node.inputs[i]), to_string(inputs[i])));
      throw Error(error.kind(), fmt::format("{} ({}) after {}", layer_at(node), kind(node.layer), join(fed, " and ")),
                  error.message(), error.hint());
    }
  }
  return shapes;
}

std::vector<Shape> input_shapes(const Node& node, const std::map<std::string, Shape>& shapes) {
  std::vector<Shape> result;
  for (const auto& input : node.inputs) result.push_back(shapes.at(input));
  return result;
}

std::vector<NamedParameter> parameters(const Graph& graph) {
  const auto shapes = infer_shapes(graph, 1);
  std::vector<NamedParameter> result;
  for (const auto& node : graph.nodes) {
    for (const auto& parameter : parameters(node.layer, input_shapes(node, shapes))) {
      auto name = fmt::format("{}.{}", node.name, parameter.name);
      require_countable(parameter.shape, shown(name));
      result.push_back({std::move(name), node.name, parameter.shape});
    }
  }
  return result;
}

}  // namespace alexnet
