#include "tests/runtime/running.h"

#include <algorithm>

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
    const bool moves = step.kind == "reorder" || step.kind == "padding" || step.kind == "output";
    return !moves && std::ranges::find(step.layers, layer) != step.layers.end();
  });
  return found == plan.steps.end() ? nullptr : &*found;
}

std::string implementation_of(const Plan& plan, const std::string& layer) {
  const PlanStep* step = step_of(plan, layer);
  return step == nullptr ? "none" : step->implementation;
}

}  // namespace alexnet::test
