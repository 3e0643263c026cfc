#include <fmt/format.h>

#include "tasks/diagnosis/edit.h"

namespace alexnet::suspect {
namespace {

bool is_pool_or_norm(const Node& node) {
  return std::holds_alternative<Lrn>(node.layer) || std::holds_alternative<MaxPool>(node.layer);
}

// Two layers in a row change places, each keeping its name.
bool swap_neighbours(Model& model, const std::string& first, const std::string& second) {
  Node* a = find(model.graph, first);
  Node* b = find(model.graph, second);
  if (a == nullptr || b == nullptr || b->inputs.size() != 1 || b->inputs[0] != first) return false;
  for (Node& node : model.graph.nodes) {
    if (node.name != second) std::ranges::replace(node.inputs, second, first);
  }
  std::ranges::replace(model.graph.outputs, second, first);
  b->inputs[0] = a->inputs[0];
  a->inputs[0] = second;
  std::swap(*a, *b);
  return true;
}

bool is_followed_by_relu(const Model& model, const Node& node) {
  const auto readers = consumers(model.graph, node.name);
  return !readers.empty() &&
         std::ranges::all_of(readers, [](const Node* reader) { return std::holds_alternative<Relu>(reader->layer); });
}

}  // namespace

std::vector<Change> pool_and_norm(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  for (const Node& node : model.graph.nodes) {
    const Node* before = find(model.graph, node.inputs[0]);
    if (!is_pool_or_norm(node) || before == nullptr || !is_pool_or_norm(*before)) continue;
    if (before->layer.index() == node.layer.index() || consumers(model.graph, before->name).size() != 1) continue;
    changes.push_back(
        {.suspect = "pool_and_norm",
         .variant = "swapped",
         .layer = node.name,
         .finding = fmt::format("comes before {}, ours behind it", before->name),
         .advice = fmt::format("\"inputs\": [\"{}\"] in layer {} of the graph, [\"{}\"] in layer {}, and {} for {} in its "
                               "readers (convert --arch bvlc normalises first, caffenet pools first)",
                               before->inputs[0], node.name, node.name, before->name, before->name, node.name),
         .apply = [first = before->name, second = node.name](Model& m) { return swap_neighbours(m, first, second); }});
  }
  return changes;
}

std::vector<Change> missing_relu(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  for (const Node& node : model.graph.nodes) {
    if (std::holds_alternative<Relu>(node.layer)) {
      changes.push_back(
          {.suspect = "relu",
           .variant = "missing there",
           .layer = node.name,
           .finding = "is missing: negative values stay",
           .advice = fmt::format("take layer {} out of the graph, and {} for it in its readers", node.name, node.inputs[0]),
           .apply = [name = node.name](Model& m) { return replace_layer(m, name, Scale{.factor = 1}); }});
    }
    const bool linear = std::holds_alternative<Convolution>(node.layer) || std::holds_alternative<Linear>(node.layer) ||
                        std::holds_alternative<BatchNorm>(node.layer);
    if (!linear) continue;
    const bool in_place = is_followed_by_relu(model, node);
    changes.push_back(
        {.suspect = "relu",
         .variant = in_place ? "in place" : "missing here",
         .layer = node.name,
         .finding = in_place ? "was kept behind its ReLU, which worked in place" : "has a ReLU behind it",
         .advice = in_place
                       ? fmt::format("copy {} in the reference before the ReLU changes it, or call the array by the ReLU's name",
                                     node.name)
                       : fmt::format("{{\"name\": \"{0}.relu\", \"kind\": \"relu\", \"inputs\": [\"{0}\"]}} in the graph, and "
                                     "{0}.relu for {0} in its readers",
                                     node.name),
         .apply = [name = node.name](Model& m) { return follow_by(m, name, Relu{}); }});
  }
  return changes;
}

std::vector<Change> softmax(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  for (const Node& node : model.graph.nodes) {
    const auto* layer = std::get_if<Softmax>(&node.layer);
    if (layer == nullptr) continue;
    changes.push_back({.suspect = "softmax",
                       .variant = "missing",
                       .layer = node.name,
                       .finding = "is missing: these are scores",
                       .advice = fmt::format("\"outputs\": [\"{}\"] in the graph without layer {}", node.inputs[0], node.name),
                       .apply = [name = node.name](Model& m) { return replace_layer(m, name, Scale{.factor = 1}); }});
    changes.push_back({.suspect = "softmax",
                       .variant = "doubled",
                       .layer = node.name,
                       .finding = "was applied twice",
                       .advice = fmt::format("take the softmax out of the reference: its {} has one already", node.inputs[0]),
                       .apply = [name = node.name, again = *layer](Model& m) { return follow_by(m, name, again); }});
  }
  const std::string scores = logits_name(model.graph);
  const Node* last = find(model.graph, scores);
  if (last != nullptr && !std::holds_alternative<Softmax>(last->layer)) {
    changes.push_back({.suspect = "softmax",
                       .variant = "in the scores",
                       .layer = scores,
                       .finding = "holds probabilities: a softmax came before",
                       .advice = fmt::format("take {} before the softmax in the reference, or add {{\"name\": \"prob\", \"kind\": "
                                             "\"softmax\", \"inputs\": [\"{}\"]}} to the graph",
                                             scores, scores),
                       .apply = [scores](Model& m) { return follow_by(m, scores, Softmax{}); }});
  }
  return changes;
}

std::vector<Change> shifted_labels(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const std::string scores = logits_name(model.graph);
  const auto classes = class_count(model.graph);
  if (!classes || *classes < 2 || find(model.graph, scores) == nullptr) return changes;
  for (const bool up : {true, false}) {
    const std::int64_t begin = up ? *classes - 1 : 1;
    changes.push_back(
        {.suspect = "shifted_labels",
         .variant = up ? "up" : "down",
         .layer = scores,
         .finding = up ? "has every class one place further down the list than ours"
                       : "has every class one place further up the list than ours",
         .advice =
             fmt::format("move the rows of {0}.weight and {0}.bias, or the list of labels (convert --labels), by one", scores),
         .apply = [scores, begin, count = *classes](Model& m) { return follow_by_rotation(m, scores, begin, count); }});
  }
  return changes;
}

}  // namespace alexnet::suspect
