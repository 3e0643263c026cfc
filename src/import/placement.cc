#include "import/placement.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace alexnet {
namespace {

std::string joined(std::string_view group, int number) {
  return group.empty() ? std::to_string(number) : fmt::format("{}.{}", group, number);
}

std::set<std::string> layers_with_parameters(const Graph& graph) {
  std::set<std::string> names;
  for (const auto& parameter : parameters(graph)) names.insert(parameter.layer);
  return names;
}

// What reads `name` reads the new layer instead; its name is returned.
std::string insert_batch_norm(Placement& placement, const std::string& name, const SourceLayer& source) {
  auto& graph = placement.graph;
  std::string own = name + ".bn";
  for (int i = 2; find(graph, own) != nullptr; ++i) own = fmt::format("{}.bn{}", name, i);
  for (auto& node : graph.nodes) std::ranges::replace(node.inputs, name, own);
  std::ranges::replace(graph.outputs, name, own);
  const auto behind = std::ranges::find(graph.nodes, name, &Node::name);
  graph.nodes.insert(
      behind == graph.nodes.end() ? graph.nodes.begin() : behind + 1,
      {own, BatchNorm{.scale = find(source, "weight") != nullptr, .offset = find(source, "bias") != nullptr}, {name}});
  placement.sources[own] = {source.name};
  placement.batch_norms.push_back(own);
  return own;
}

// The layer that is `steps` behind this one in a chain.
std::string further(const Graph& graph, std::string name, int steps) {
  for (; steps > 0; --steps) {
    const auto readers = consumers(graph, name);
    if (readers.size() != 1) break;
    name = readers.front()->name;
  }
  return name;
}

// Puts the batch normalisations among the source's layers that have no place yet behind the layer that the layer before them
// belongs to, as far behind as their numbers say.
void place_batch_norms(Placement& placement, const SourceLayers& source) {
  std::map<std::string_view, std::string> places;
  for (const auto& [node, layers] : placement.sources) {
    for (const auto& layer : layers) places.emplace(layer, node);
  }
  const auto digits = [](std::string_view name) {
    std::string result;
    std::ranges::copy_if(name, std::back_inserter(result), [](char c) { return c >= '0' && c <= '9'; });
    return result;
  };
  const SourceLayer* before = nullptr;
  for (const auto& layer : source.layers) {
    if (!is_batch_norm(layer) || places.contains(layer.name)) {
      before = &layer;
      continue;
    }
    const SourceLayer* owner = before;
    int steps = 0;
    const auto number = numbered(layer.name);
    if (number.number >= 0 && before != nullptr) {
      const auto other = numbered(before->name);
      if (other.number >= 0 && other.group == number.group) steps = number.number - other.number - 1;
    } else {
      // bn1 belongs to conv1, wherever they stand.
      const auto same = std::ranges::find_if(source.layers, [&](const auto& one) {
        return !is_batch_norm(one) && places.contains(one.name) && !digits(layer.name).empty() &&
               digits(one.name) == digits(layer.name);
      });
      if (same != source.layers.end()) owner = &*same;
    }
    const auto place = owner == nullptr ? places.end() : places.find(owner->name);
    if (place == places.end()) continue;
    const auto own = insert_batch_norm(placement, further(placement.graph, place->second, steps), layer);
    places.emplace(layer.name, own);
    before = &layer;
  }
}

Placement by_names(const Graph& graph, const SourceLayers& source) {
  Placement result{.by = Placement::By::names, .graph = graph, .sources = {}, .batch_norms = {}};
  for (const auto& name : layers_with_parameters(graph)) {
    auto& layers = result.sources[name];
    for (const auto& layer : source.layers) {
      const bool below = layer.name.starts_with(name + ".") && !is_batch_norm(layer);
      if (layer.name == name || below) layers.push_back(layer.name);
    }
    if (layers.empty()) layers.push_back(name);
  }
  place_batch_norms(result, source);
  return result;
}

struct Counting {
  std::string_view convolutions;  // the group in which they are numbered
  std::string_view linears;
  bool dropout;  // is among what is numbered
  bool flatten;
};

Placement by_numbers(const Graph& graph, const SourceLayers& source, const Counting& counting) {
  Placement result{.by = Placement::By::numbers, .graph = graph, .sources = {}, .batch_norms = {}};
  const auto learned = layers_with_parameters(graph);
  const bool one_group = counting.convolutions == counting.linears;
  std::string_view group = counting.convolutions;
  int number = 0;
  std::string previous = graph.inputs.front().name;
  for (const auto& node : graph.nodes) {
    const bool flatten = std::holds_alternative<Flatten>(node.layer);
    if (flatten && !one_group) {
      group = counting.linears;
      number = 0;
    }
    const auto* here = find(source, joined(group, number));
    while (here != nullptr && is_batch_norm(*here) && !std::holds_alternative<BatchNorm>(node.layer)) {
      previous = insert_batch_norm(result, previous, *here);
      here = find(source, joined(group, ++number));
    }
    const bool skipped =
        (std::holds_alternative<Dropout>(node.layer) && !counting.dropout) || (flatten && !one_group && !counting.flatten);
    if (learned.contains(node.name)) result.sources[node.name] = {joined(group, number)};
    if (!skipped) ++number;
    previous = node.name;
  }
  return result;
}

Placement by_order(const Graph& graph, const SourceLayers& source) {
  Placement result{.by = Placement::By::order, .graph = graph, .sources = {}, .batch_norms = {}};
  const auto learned = layers_with_parameters(graph);
  const bool has_own =
      std::ranges::any_of(graph.nodes, [](const auto& node) { return std::holds_alternative<BatchNorm>(node.layer); });
  auto layer = source.layers.begin();
  for (const auto& node : graph.nodes) {
    if (!learned.contains(node.name)) continue;
    while (layer != source.layers.end() && is_batch_norm(*layer) && !has_own) ++layer;
    auto& layers = result.sources[node.name];
    if (layer != source.layers.end()) layers.push_back((layer++)->name);
    if (layers.empty()) layers.push_back(node.name);
  }
  if (!has_own) place_batch_norms(result, source);
  return result;
}

// How many of the source's layers have a place.
std::size_t placed(const Placement& placement, const SourceLayers& source) {
  std::size_t count = 0;
  for (const auto& [node, layers] : placement.sources) {
    count +=
        static_cast<std::size_t>(std::ranges::count_if(layers, [&](const auto& layer) { return find(source, layer) != nullptr; }));
  }
  return count;
}

std::string_view group_of_rank(const SourceLayers& source, bool convolutional) {
  const auto found = std::ranges::find_if(source.layers, [&](const auto& layer) {
    return (convolutional ? weight_rank(layer) > 2 : weight_rank(layer) == 2) && numbered(layer.name).number >= 0;
  });
  return found == source.layers.end() ? std::string_view("?") : numbered(found->name).group;
}

}  // namespace

std::vector<Placement> placements(const Graph& graph, const SourceLayers& source) {
  std::vector<Placement> result;
  if (auto names = by_names(graph, source); placed(names, source) > 0) result.push_back(std::move(names));
  Counting counting{
      .convolutions = group_of_rank(source, true), .linears = group_of_rank(source, false), .dropout = true, .flatten = false};
  for (const bool flatten : {false, true}) {
    for (const bool dropout : {true, false}) {
      counting.flatten = flatten;
      counting.dropout = dropout;
      auto numbers = by_numbers(graph, source, counting);
      if (placed(numbers, source) > 0) result.push_back(std::move(numbers));
    }
  }
  result.push_back(by_order(graph, source));
  return result;
}

}  // namespace alexnet
