#include "import/known_structure.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/architecture.h"
#include "model/lrn_source.h"

namespace alexnet {
namespace {

// A layer with the shapes of what it reads and makes.
struct Link {
  const Node* node;
  Shape from;
  Shape to;
};

bool changes_nothing(const Link& link) {
  if (std::holds_alternative<Dropout>(link.node->layer)) return true;
  if (link.from != link.to) return false;
  if (const auto* pool = std::get_if<AveragePool>(&link.node->layer)) return pool->kernel == std::array<std::int64_t, 2>{1, 1};
  return std::holds_alternative<AdaptiveAveragePool>(link.node->layer);
}

// The layers that count, if they are a chain from one input to one output.
std::optional<std::vector<Link>> chain(const Graph& graph) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1) return std::nullopt;
  const auto shapes = infer_shapes(graph, 1);
  std::vector<Link> links;
  std::string at = graph.inputs.front().name;
  for (;;) {
    const auto readers = consumers(graph, at);
    if (readers.empty()) break;
    if (readers.size() > 1 || readers.front()->inputs.size() != 1) return std::nullopt;
    const Link link{readers.front(), shapes.at(at), shapes.at(readers.front()->name)};
    at = link.node->name;
    if (!changes_nothing(link)) links.push_back(link);
  }
  if (at != graph.outputs.front()) return std::nullopt;
  if (!links.empty() && std::holds_alternative<Softmax>(links.back().node->layer)) links.pop_back();
  return links;
}

bool close(double a, double b) { return std::fabs(a - b) <= 1e-6 * std::fabs(b); }  // files hold them as f32

bool is_flatten(const Link& link) {
  const bool reorders = std::holds_alternative<Flatten>(link.node->layer) || std::holds_alternative<Reshape>(link.node->layer);
  return reorders && link.to.rank() == 2;
}

bool same(const Link& a, const Link& b, bool last) {
  const bool same_shapes = a.from == b.from && (a.to == b.to || last);
  if (!same_shapes) return false;
  if (is_flatten(a) && is_flatten(b)) return true;
  Layer layer = a.node->layer;
  const Layer& other = b.node->layer;
  if (layer.index() != other.index()) return false;
  if (auto* lrn = std::get_if<Lrn>(&layer)) {
    const auto& like = std::get<Lrn>(other);
    if (!close(lrn->alpha, like.alpha) || !close(lrn->beta, like.beta) || !close(lrn->k, like.k)) return false;
    lrn->alpha = like.alpha;
    lrn->beta = like.beta;
    lrn->k = like.k;
  }
  if (auto* pool = std::get_if<MaxPool>(&layer)) pool->rounding = std::get<MaxPool>(other).rounding;  // the shapes are the same
  if (auto* linear = std::get_if<Linear>(&layer); linear != nullptr && last) {
    linear->out_features = std::get<Linear>(other).out_features;
  }
  return layer == other;
}

}  // namespace

std::optional<KnownStructure> known_structure(const Graph& graph) {
  const auto found = chain(graph);
  if (!found) return std::nullopt;
  for (const auto& name : architecture_names()) {
    const Architecture known = architecture(name);
    const auto wanted = chain(known.graph);
    if (!wanted || wanted->size() != found->size()) continue;
    bool all = true;
    for (std::size_t i = 0; all && i < wanted->size(); ++i) all = same((*found)[i], (*wanted)[i], i + 1 == wanted->size());
    if (!all) continue;
    KnownStructure result{.architecture = name, .names = {{graph.inputs.front().name, known.graph.inputs.front().name}}};
    for (std::size_t i = 0; i < wanted->size(); ++i) result.names.emplace((*found)[i].node->name, (*wanted)[i].node->name);
    if (const Node* end = find(graph, graph.outputs.front()); end != nullptr && std::holds_alternative<Softmax>(end->layer)) {
      result.names.emplace(end->name, known.graph.outputs.front());
    }
    return result;
  }
  return std::nullopt;
}

void rename(Imported& imported, const std::map<std::string, std::string>& names) {
  Model& model = imported.model;
  std::set<std::string> taken;
  for (const auto& [from, to] : names) taken.insert(to);
  const auto renamed = [&](const std::string& name) {
    if (const auto found = names.find(name); found != names.end()) return found->second;
    std::string own = name;
    while (taken.contains(own)) own += "_";
    return own;
  };
  const auto of_layer = [&](const std::string& full) {
    const auto dot = full.rfind('.');
    return renamed(full.substr(0, dot)) + full.substr(dot);
  };
  LrnSources sources;
  if (!model.lrn_source.empty()) {
    for (const auto& [layer, source] : lrn_sources_from_json(parse_json(model.lrn_source, ""), model.graph)) {
      sources.emplace(renamed(layer), source);
    }
  }
  for (auto& input : model.graph.inputs) input.name = renamed(input.name);
  for (auto& node : model.graph.nodes) {
    node.name = renamed(node.name);
    for (auto& input : node.inputs) input = renamed(input);
  }
  for (auto& output : model.graph.outputs) output = renamed(output);
  Weights weights;
  for (auto& [name, weight] : model.weights) weights.emplace(of_layer(name), std::move(weight));
  model.weights = std::move(weights);
  for (auto& tensor : imported.tensors) tensor.ours = of_layer(tensor.ours);
  if (!sources.empty()) model.lrn_source = to_json(sources).dump();
}

}  // namespace alexnet
