#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "passes/edit.h"
#include "passes/linear_node.h"
#include "passes/passes.h"

namespace alexnet {
namespace {

constexpr std::size_t kChannels = 3;

std::optional<ChannelAffine> as_affine(const Step& step) {
  ChannelAffine affine{std::vector<double>(kChannels, 1), std::vector<double>(kChannels, 0)};
  if (const auto* divide = std::get_if<Divide>(&step)) {
    for (auto& scale : affine.scale) scale /= divide->by;
    return affine;
  }
  if (const auto* normalize = std::get_if<Normalize>(&step)) {
    for (std::size_t c = 0; c < kChannels; ++c) {
      affine.scale[c] /= normalize->std[c];
      affine.shift[c] = -normalize->mean[c] / normalize->std[c];
    }
    return affine;
  }
  return std::nullopt;
}

std::string_view name(const Step& step) {
  return std::visit([](const auto& one) { return one.kKind; }, step);
}

}  // namespace

Optimised fold_preprocessing(Optimised in, std::span<const std::string> keep) {
  Graph& graph = in.model.graph;
  auto& steps = in.model.preprocessing.steps;
  if (graph.inputs.size() != 1 || graph.inputs[0].shape.rank() != 3 || graph.inputs[0].shape[0] != kChannels) return in;
  const Node* reader = only_reader(in, keep, graph.inputs[0].name);
  const auto linear = reader == nullptr ? std::nullopt : linear_node(find(graph, reader->name));
  if (!linear || linear->pads) return in;
  const std::string first = reader->name;

  std::optional<ChannelAffine> all;
  std::vector<std::string> folded;
  auto begin = steps.end();
  while (begin != steps.begin()) {
    const auto affine = as_affine(*(begin - 1));
    if (!affine) break;
    --begin;
    all = all ? in_turn(*affine, *all) : affine;
    folded.insert(folded.begin(), std::string(name(*begin)));
  }
  auto weights = all ? preceded_by(weights_of(in.model, first), *all, linear->groups) : std::nullopt;
  if (!weights) return in;
  *linear->bias = true;
  set_weights(in.model, first, std::move(*weights));
  steps.erase(begin, steps.end());
  in.notes.push_back(
      fmt::format("folded preprocessing's {} into {} {}", join(folded, " and "), kind(find(graph, first)->layer), shown(first)));
  return in;
}

}  // namespace alexnet
