#include "passes/part.h"

#include <algorithm>
#include <cassert>

namespace alexnet {

Model part_of(const Model& model, const std::map<std::string, Shape>& shapes, const std::string& layer,
              const std::set<std::string>& given) {
  Model part;
  std::set<std::string> inputs;
  std::set<std::string> wanted{layer};
  // Against the order of the graph: whoever reads a node has said so before the node is met.
  for (auto node = model.graph.nodes.rbegin(); node != model.graph.nodes.rend(); ++node) {
    if (!wanted.contains(node->name)) continue;
    part.graph.nodes.push_back(*node);
    for (const auto& input : node->inputs) (given.contains(input) ? inputs : wanted).insert(input);
  }
  std::ranges::reverse(part.graph.nodes);
  for (const auto& input : inputs) part.graph.inputs.push_back({input, shapes.at(input).without_batch()});
  part.graph.outputs = {layer};
  for (const auto& parameter : parameters(part.graph)) part.weights[parameter.name] = model.weights.at(parameter.name);
  part.ranges = model.ranges;
  return part;
}

}  // namespace alexnet
