#include "tasks/inspect.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace alexnet {
namespace {

std::string parameters_text(const Layer& layer) {
  std::string text;
  const Json json = to_json(layer);
  for (const auto& [key, value] : json.items()) {
    if (key == "kind") continue;
    if (!text.empty()) text += ' ';
    text += fmt::format("{}={}", key, value.dump());
  }
  return text;
}

}  // namespace

Inspection inspect(const Model& model) {
  Inspection result;
  for (const auto& input : model.graph.inputs) result.inputs.push_back({input.name, input.shape});
  result.outputs = model.graph.outputs;
  const auto shapes = infer_shapes(model.graph, /*batch=*/1);
  for (const Node& node : model.graph.nodes) {
    LayerRow row;
    row.name = node.name;
    row.kind = kind(node.layer);
    row.parameters = parameters_text(node.layer);
    row.inputs = node.inputs;
    row.output = shapes.at(node.name).without_batch();
    for (const Parameter& parameter : parameters(node.layer, input_shapes(node, shapes))) {
      row.parameter_count += parameter.shape.elements();
      if (parameter.name != "weight") continue;
      // Every weight is used once for each position of the output's channel.
      row.multiply_adds = parameter.shape.elements() * (row.output.elements() / row.output[0]);
      if (const auto weight = model.weights.find(node.name + ".weight"); weight != model.weights.end())
        row.storage = name(weight->second.storage);
    }
    result.parameter_count += row.parameter_count;
    result.multiply_adds += row.multiply_adds;
    result.layers.push_back(std::move(row));
  }
  for (const auto& [name_of_weight, weight] : model.weights) {
    result.tensors.push_back({name_of_weight, weight.shape, std::string(name(weight.storage)), byte_count(weight)});
    result.weight_bytes += byte_count(weight);
  }
  return result;
}

}  // namespace alexnet
