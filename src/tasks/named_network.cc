#include "tasks/named_network.h"

#include <algorithm>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "passes/passes.h"

namespace alexnet {
namespace {

void check_names(const Graph& graph, const std::vector<std::string>& layers) {
  std::vector<std::string> known;
  for (const auto& input : graph.inputs) known.push_back(input.name);
  for (const auto& node : graph.nodes) known.push_back(node.name);
  for (auto layer = layers.begin(); layer != layers.end(); ++layer) {
    if (std::find(known.begin(), known.end(), *layer) == known.end()) {
      const auto near = nearest(*layer, known);
      throw Error(ErrorKind::usage, "--layer", fmt::format("the network has no layer {}", shown(*layer)),
                  near ? fmt::format("did you mean {}?", *near) : fmt::format("it has {}", join(known, ", ")));
    }
    if (std::find(layers.begin(), layer, *layer) != layer) {
      throw Error(ErrorKind::usage, "--layer", fmt::format("{} is given twice", shown(*layer)));
    }
  }
}

}  // namespace

NamedNetwork compile_named(const Model& model, const CompileOptions& options) {
  return compile_named(model, model.graph.outputs, options);
}

NamedNetwork compile_named(const Model& model, const std::vector<std::string>& layers, const CompileOptions& options) {
  check_names(model.graph, layers);
  Model chosen = model;  // tensors are shared, not copied
  chosen.graph.outputs = layers;
  Optimised ready = optimised(std::move(chosen), /*keep=*/{});
  NamedNetwork result{
      .network = compile(ready.model, options), .outputs = {}, .positions = {}, .pass_notes = std::move(ready.notes)};
  const auto& found = result.network->outputs();
  for (const auto& layer : layers) {
    const auto at =
        std::find_if(found.begin(), found.end(), [&](const TensorInfo& info) { return info.name == ready.resolved(layer); });
    result.outputs.push_back({layer, at->shape});
    result.positions.push_back(static_cast<std::size_t>(at - found.begin()));
  }
  return result;
}

NamedNetwork compile_for_scores(const Model& model, const CompileOptions& options) {
  return compile_named(model, {logits_name(model.graph)}, options);
}

}  // namespace alexnet
