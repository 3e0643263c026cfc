#include "import/fit.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "import/parameter_names.h"
#include "model/model.h"

namespace alexnet {
namespace {

constexpr std::array<std::int64_t, 2> kInputs{227, 224};
// Behind as many tensors that are not expected, nothing new is learned.
constexpr std::size_t kMaxUnexpected = 100;
constexpr std::size_t kMaxLikelyName = 200;

const Tensor* tensor_of(const Placement& placement, const SourceLayers& source, const Node& node, std::string_view parameter) {
  const auto layers = sources_of(placement, node.name, source);
  const auto* found = find_spelled(layers, parameter);
  return found == nullptr ? nullptr : &found->tensor;
}

bool is_normalisation(const Layer& layer) {
  return std::visit(
      []<typename L>(const L&) {
        return requires(L l) { l.offset; }
        &&!std::is_same_v<L, ScaleShift>;
      },
      layer);
}

// A bias is superfluous in front of a normalisation, so that networks leave it out there.
void drop_absent_biases(Placement& placement, const SourceLayers& source) {
  for (auto& node : placement.graph.nodes) {
    const auto readers = consumers(placement.graph, node.name);
    if (readers.empty() || !is_normalisation(readers.front()->layer)) continue;
    if (tensor_of(placement, source, node, "weight") == nullptr || tensor_of(placement, source, node, "bias") != nullptr) continue;
    if (auto* convolution = std::get_if<Convolution>(&node.layer)) convolution->bias = false;
    if (auto* linear = std::get_if<Linear>(&node.layer)) linear->bias = false;
  }
}

// Sets the widths that the tensors have: of all layers, or of the one that makes the scores. Whether any but that one changed.
bool take_widths(Placement& placement, const SourceLayers& source, bool all) {
  const auto scores = logits_name(placement.graph);
  bool changed = false;
  for (auto& node : placement.graph.nodes) {
    if (!all && node.name != scores) continue;
    const auto* tensor = tensor_of(placement, source, node, "weight");
    if (tensor == nullptr) tensor = tensor_of(placement, source, node, "bias");
    if (tensor == nullptr || tensor->shape().rank() < 1 || tensor->shape()[0] < 1) continue;
    std::int64_t* width = nullptr;
    if (auto* convolution = std::get_if<Convolution>(&node.layer)) width = &convolution->out_channels;
    if (auto* linear = std::get_if<Linear>(&node.layer)) width = &linear->out_features;
    if (width == nullptr) continue;
    if (*width != tensor->shape()[0] && node.name != scores) changed = true;
    *width = tensor->shape()[0];
  }
  return changed;
}

// The sides to try: the architecture's, and the other usual one.
std::vector<std::optional<std::int64_t>> sides(const Graph& graph) {
  std::vector<std::optional<std::int64_t>> result{std::nullopt};
  const auto& shape = graph.inputs.front().shape;
  if (shape.rank() != 3 || shape[1] != shape[2] || std::ranges::find(kInputs, shape[1]) == kInputs.end()) return result;
  for (const auto side : kInputs) {
    if (side != shape[1]) result.emplace_back(side);
  }
  return result;
}

bool is_float(ElementType type) {
  return type == ElementType::f64 || type == ElementType::f32 || type == ElementType::f16 || type == ElementType::bf16;
}

std::string place_of(const SourceLayers& source, const std::string& layer) {
  const auto* found = find(source, layer);
  return found == nullptr ? layer : found->original;
}

}  // namespace

std::vector<const SourceLayer*> sources_of(const Placement& placement, const std::string& layer, const SourceLayers& source) {
  std::vector<const SourceLayer*> result;
  const auto names = placement.sources.find(layer);
  if (names == placement.sources.end()) return result;
  for (const auto& name : names->second) {
    if (const auto* found = find(source, name); found != nullptr) result.push_back(found);
  }
  return result;
}

bool can_be(const Shape& tensor, const NamedParameter& parameter) {
  const auto bare = [](const Shape& shape) {
    std::vector<std::int64_t> extents;
    std::ranges::copy_if(shape.extents(), std::back_inserter(extents), [](auto extent) { return extent != 1; });
    return extents;
  };
  return bare(tensor) == bare(parameter.shape) || (tensor.elements() == 1 && parameter.name.ends_with(".epsilon"));
}

Fit fit(const Placement& placement, const SourceLayers& source) {
  Fit result{.architecture = {}, .placement = placement, .input = {}, .problems = {}};
  std::vector<NamedParameter> wanted;
  try {
    wanted = parameters(placement.graph);
  } catch (const Error& error) {
    result.broken = true;
    result.problems.push_back(error.where().empty() ? error.message() : error.where() + ": " + error.message());
    return result;
  }
  std::set<const SourceParameter*> used;
  std::vector<std::string> missing;
  for (const auto& parameter : wanted) {
    const auto ours = std::string_view(parameter.name).substr(parameter.layer.size() + 1);
    const auto layers = sources_of(placement, parameter.layer, source);
    const auto* found = find_spelled(layers, ours);
    if (found == nullptr) {
      const auto layer = place_of(source, placement.sources.at(parameter.layer).front());
      missing.push_back(layer.empty() ? std::string(spellings(ours).front())
                                      : fmt::format("{}.{}", layer, spellings(ours).front()));
      result.problems.push_back(fmt::format("{} ({}) is missing", shown(missing.back()), to_string(parameter.shape)));
      continue;
    }
    used.insert(found);
    if (!is_float(found->type)) {
      result.problems.push_back(
          fmt::format("{} is {}, weights are floating-point numbers", shown(found->source), name(found->type)));
    }
    if (!can_be(found->tensor.shape(), parameter)) {
      result.problems.push_back(fmt::format("{} is {}, layer {} wants {}", shown(found->source), to_string(found->tensor.shape()),
                                            shown(parameter.layer), to_string(parameter.shape)));
    }
  }
  std::size_t unexpected = 0;
  for (const auto& layer : source.layers) {
    for (const auto& parameter : layer.parameters) {
      if (used.contains(&parameter)) continue;
      if (++unexpected > kMaxUnexpected) return result;
      const auto likely = parameter.source.size() > kMaxLikelyName ? std::nullopt : nearest(parameter.source, missing);
      result.problems.push_back(fmt::format("{} ({}) is not expected{}", shown(parameter.source),
                                            to_string(parameter.tensor.shape()),
                                            likely ? fmt::format(" (meant as {}?)", shown(*likely)) : ""));
    }
  }
  return result;
}

bool is_worse(const Fit& a, const Fit& b) { return a.broken != b.broken ? a.broken : a.problems.size() > b.problems.size(); }

Fit best_fit(const Architecture& architecture, const SourceLayers& source) {
  std::optional<Fit> best;
  for (const auto& read : placements(architecture.graph, source)) {
    for (const bool all_widths : {false, true}) {
      for (const auto side : sides(architecture.graph)) {
        Placement tried = read;
        drop_absent_biases(tried, source);
        const bool changed = take_widths(tried, source, all_widths);
        if (all_widths && !changed) continue;
        if (side) tried.graph.inputs.front().shape = {tried.graph.inputs.front().shape[0], *side, *side};
        Fit found = fit(tried, source);
        found.own_widths = !changed;
        found.input = side;
        found.architecture = architecture.name;
        if (best && !is_worse(*best, found)) continue;
        best = std::move(found);
        if (best->problems.empty()) return *best;
      }
    }
  }
  return *best;
}

}  // namespace alexnet
