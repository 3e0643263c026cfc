// A network's structure as plain data: named layers, and which feeds which.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "layers/layer.h"

namespace alexnet {

// A layer in its place. Its output goes by its name.
struct Node {
  std::string name;
  Layer layer;
  std::vector<std::string> inputs;  // names of nodes or of the graph's inputs

  friend bool operator==(const Node&, const Node&) = default;
};

struct GraphInput {
  std::string name;
  Shape shape;  // of one sample, without the batch

  friend bool operator==(const GraphInput&, const GraphInput&) = default;
};

struct Graph {
  std::vector<GraphInput> inputs;
  std::vector<Node> nodes;           // each after the nodes it reads, once checked() has passed
  std::vector<std::string> outputs;  // names of nodes or inputs

  friend bool operator==(const Graph&, const Graph&) = default;
};

// The graph with its nodes in an order in which each follows what it reads (otherwise in the order given). Throws Error of
// kind model, naming the layer, for an empty or duplicate name, a missing input, a wrong number of inputs, a cycle, and an output
// that nothing makes.
Graph checked(Graph graph);

// The node of this name, or nullptr.
const Node* find(const Graph& graph, const std::string& name);
Node* find(Graph& graph, const std::string& name);

// Nodes that read `name`.
std::vector<const Node*> consumers(const Graph& graph, const std::string& name);

// By name, the shape of every input and every node's output for a batch of this size. The graph must be checked(). Throws Error
// of kind model naming the layer, what feeds it and both shapes.
std::map<std::string, Shape> infer_shapes(const Graph& graph, std::int64_t batch);

// The shapes of what a node reads.
std::vector<Shape> input_shapes(const Node& node, const std::map<std::string, Shape>& shapes);

// A learned tensor by its full name, LAYER.PARAMETER, with the shape its layer wants. Does not depend on the batch.
struct NamedParameter {
  std::string name;
  std::string layer;
  Shape shape;
};
std::vector<NamedParameter> parameters(const Graph& graph);

// {"inputs": [{"name", "shape"}], "layers": [{"name", "kind", "inputs", ...}], "outputs": [...]}; reading checks the graph
// whole, shapes too.
Json to_json(const Graph& graph);
Graph graph_from_json(const Json& json);

}  // namespace alexnet
