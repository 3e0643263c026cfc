#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "passes/edit.h"
#include "passes/linear_node.h"
#include "passes/passes.h"

namespace alexnet {
namespace {

// Only layers that can be one cost an inference of shapes.
std::optional<ChannelAffine> affine_at(const Optimised& in, const Node& node) {
  const bool may_be = std::holds_alternative<BatchNorm>(node.layer) || std::holds_alternative<MovingAverageBatchNorm>(node.layer) ||
                      std::holds_alternative<ScaleShift>(node.layer) || std::holds_alternative<Scale>(node.layer);
  if (!may_be) return std::nullopt;
  const Shape shape = infer_shapes(in.model.graph, 1).at(node.name);
  if (shape.rank() < 2) return std::nullopt;
  return channel_affine(node, in.model.weights, static_cast<std::size_t>(shape[1]));
}

std::string described(const Node& node) { return fmt::format("{} {}", kind(node.layer), shown(node.name)); }

// The linear layer takes over the name of the affine one.
bool fold_into_previous(Optimised& in, std::span<const std::string> keep, const std::string& name, const ChannelAffine& affine) {
  Graph& graph = in.model.graph;
  const std::string previous = find(graph, name)->inputs.front();
  const auto linear = linear_node(find(graph, previous));
  if (!linear || only_reader(in, keep, previous) == nullptr) return false;
  auto folded = followed_by(weights_of(in.model, previous), affine);
  if (!folded) return false;
  in.notes.push_back(fmt::format("folded {} into {} before it, now {}", described(*find(graph, name)),
                                 described(*find(graph, previous)), shown(name)));
  erase_weights(in.model, previous);
  erase_weights(in.model, name);
  *linear->bias = true;
  replace_by(in, name, previous);
  set_weights(in.model, name, std::move(*folded));
  return true;
}

bool fold_into_next(Optimised& in, std::span<const std::string> keep, const std::string& name, const ChannelAffine& affine) {
  Graph& graph = in.model.graph;
  const Node* reader = only_reader(in, keep, name);
  if (reader == nullptr) return false;
  const std::string next = reader->name;
  const auto linear = linear_node(find(graph, next));
  if (!linear || linear->pads) return false;
  auto folded = preceded_by(weights_of(in.model, next), affine, linear->groups);
  if (!folded) return false;
  in.notes.push_back(fmt::format("folded {} into {} behind it", described(*find(graph, name)), described(*reader)));
  erase_weights(in.model, name);
  *linear->bias = true;
  find(graph, next)->inputs = find(graph, name)->inputs;
  remove(in, name);
  set_weights(in.model, next, std::move(*folded));
  return true;
}

// The one behind becomes a scale-shift that does both.
void merge_with_next(Optimised& in, std::span<const std::string> keep, const std::string& name, const ChannelAffine& affine) {
  Graph& graph = in.model.graph;
  const Node* reader = only_reader(in, keep, name);
  const auto then = reader == nullptr ? std::nullopt : affine_at(in, *reader);
  const auto both = then ? stored(in_turn(affine, *then)) : std::nullopt;
  if (!both) return;
  const std::string next = reader->name;
  in.notes.push_back(fmt::format("merged {} with {} behind it", described(*find(graph, name)), described(*reader)));
  erase_weights(in.model, name);
  erase_weights(in.model, next);
  Node& node = *find(graph, next);
  node.layer = ScaleShift{};
  node.inputs = find(graph, name)->inputs;
  remove(in, name);
  in.model.weights[next + ".scale"] = both->scale;
  in.model.weights[next + ".offset"] = both->shift;
}

}  // namespace

Optimised fold_affine(Optimised in, std::span<const std::string> keep) {
  std::vector<std::string> names;
  for (const auto& node : in.model.graph.nodes) names.push_back(node.name);
  for (const auto& name : names) {
    const Node* node = find(in.model.graph, name);
    if (node == nullptr) continue;
    const auto affine = affine_at(in, *node);
    if (!affine || fold_into_previous(in, keep, name, *affine) || fold_into_next(in, keep, name, *affine)) continue;
    merge_with_next(in, keep, name, *affine);
  }
  return in;
}

}  // namespace alexnet
