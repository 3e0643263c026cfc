#include "tests/runtime/running.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "model/ranges.h"

namespace alexnet::test {

std::vector<Tensor> run(Session& session, const Network& network, const std::vector<Tensor>& inputs) {
  const std::int64_t batch = inputs.front().shape()[0];
  std::vector<std::span<const float>> sources;
  for (const auto& input : inputs) sources.push_back(input.values<float>());
  std::vector<Tensor> results;
  for (const auto& output : network.outputs()) results.push_back(Tensor::zeros(output.shape.with_batch(batch)));
  std::vector<std::span<float>> destinations;
  for (auto& result : results) destinations.push_back(result.mutable_values<float>());
  session.run(batch, sources, destinations);
  return results;
}

std::vector<Tensor> run(const Model& model, const std::vector<Tensor>& inputs, const CompileOptions& options) {
  const auto network = compile(model, options);
  Session session(network);
  return run(session, *network, inputs);
}

const PlanStep* step_of(const Plan& plan, const std::string& layer) {
  const auto found = std::ranges::find_if(plan.steps, [&](const PlanStep& step) {
    const bool moves = step.kind == "reorder" || step.kind == "padding" || step.kind == "quantise" || step.kind == "output";
    return !moves && std::ranges::find(step.layers, layer) != step.layers.end();
  });
  return found == plan.steps.end() ? nullptr : &*found;
}

std::string implementation_of(const Plan& plan, const std::string& layer) {
  const PlanStep* step = step_of(plan, layer);
  return step == nullptr ? "none" : step->implementation;
}

void add_ranges(Model& model, const Tensor& x) {
  std::vector<std::string> names;
  for (const Node& node : model.graph.nodes) names.push_back(node.name);
  const auto network = compile(model, {.threads = 2, .keep = names});
  Session session(network);
  const auto outputs = run(session, *network, {x});
  Ranges ranges;
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    const auto [lowest, highest] = std::ranges::minmax(tensor.values<float>());
    ranges.tensors[name] = {std::min(0.0, static_cast<double>(lowest)), std::max(0.0, static_cast<double>(highest))};
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) add(network->outputs()[i].name, outputs[i]);
  add(model.graph.inputs[0].name, x);
  model.ranges = to_json(ranges).dump();
}

}  // namespace alexnet::test
