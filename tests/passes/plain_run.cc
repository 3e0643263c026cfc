#include "tests/passes/plain_run.h"

#include "tests/layers/golden.h"

namespace alexnet::test {

std::map<std::string, Tensor> plain_run(const Model& model, std::map<std::string, Tensor> values) {
  std::map<std::string, std::vector<Tensor>> weights;
  for (const auto& parameter : parameters(model.graph))
    weights[parameter.layer].push_back(widened(model.weights.at(parameter.name)));
  for (const auto& node : model.graph.nodes) {
    std::vector<Tensor> inputs;
    for (const auto& input : node.inputs) inputs.push_back(values.at(input));
    values[node.name] = reference(node.layer, inputs, weights[node.name]);
  }
  return values;
}

Model generated_model(Graph graph) {
  Model model;
  model.graph = checked(std::move(graph));
  std::uint64_t seed = 100;
  for (const auto& [name, layer, shape] : parameters(model.graph)) {
    const bool variance = name.ends_with(".variance") || name.ends_with(".moment");
    model.weights[name] = Weight::of(generated(shape, ++seed, variance ? 0.1 : -1, variance ? 4 : 1));
  }
  return model;
}

}  // namespace alexnet::test
