#include "import/module_graph.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "import/module_layers.h"
#include "model/model.h"

namespace alexnet {
namespace {

constexpr std::array<std::string_view, 4> kContainers{"Sequential", "DataParallel", "DistributedDataParallel", "ModuleList"};
// More modules than any relative of AlexNet has.
constexpr std::size_t kMaxModules = 1'000;

bool is_learned(const Layer& layer) { return std::holds_alternative<Convolution>(layer) || std::holds_alternative<Linear>(layer); }
bool is_activation(const Layer& layer) { return std::holds_alternative<Relu>(layer) || std::holds_alternative<Clip>(layer); }

// Layers are named as the architectures name theirs: conv1, conv1.relu, norm1, pool1, ..., drop6, fc6.
class Chain {
 public:
  explicit Chain(Graph& graph) : graph_(graph) {}

  const std::string& add(Layer layer) {
    const std::string last = graph_.nodes.empty() ? graph_.inputs.front().name : graph_.nodes.back().name;
    auto name = unique(name_for(layer));
    if (is_learned(layer)) learned_ = name;
    graph_.nodes.push_back({std::move(name), std::move(layer), {last}});
    return graph_.nodes.back().name;
  }

  // In front of the dropouts at the end, as others write it.
  void add_flatten() {
    auto place = graph_.nodes.end();
    while (place != graph_.nodes.begin() && std::holds_alternative<Dropout>(std::prev(place)->layer)) --place;
    const bool first = place == graph_.nodes.begin();
    const std::string input = first ? graph_.inputs.front().name : std::prev(place)->name;
    const auto own = unique("flatten");
    if (place != graph_.nodes.end()) place->inputs = {own};
    graph_.nodes.insert(place, {own, Flatten{}, {input}});
  }

 private:
  std::string name_for(const Layer& layer) {
    if (std::holds_alternative<Convolution>(layer)) return fmt::format("conv{}", ++count_);
    if (std::holds_alternative<Linear>(layer)) return fmt::format("fc{}", ++count_);
    if (std::holds_alternative<MaxPool>(layer) || std::holds_alternative<AveragePool>(layer)) return fmt::format("pool{}", count_);
    if (std::holds_alternative<AdaptiveAveragePool>(layer)) return "avgpool";
    if (std::holds_alternative<Dropout>(layer)) return fmt::format("drop{}", count_ + 1);
    if (std::holds_alternative<Flatten>(layer)) return "flatten";
    if (std::holds_alternative<Softmax>(layer)) return "prob";
    const auto& owner = learned_.empty() ? graph_.inputs.front().name : learned_;
    if (is_activation(layer)) return owner + ".relu";
    if (std::holds_alternative<BatchNorm>(layer)) return owner + ".bn";
    return fmt::format("norm{}", count_);
  }
  std::string unique(const std::string& name) const {
    std::string own = name;
    for (int i = 2; find(graph_, own) != nullptr || own == graph_.inputs.front().name; ++i) own = fmt::format("{}.{}", name, i);
    return own;
  }

  Graph& graph_;
  int count_ = 0;
  std::string learned_;
};

// Modules with others in them.
std::set<std::string> parents(const std::vector<PytorchModule>& modules) {
  std::set<std::string> result;
  for (const auto& module : modules) {
    if (module.name.empty()) continue;
    const auto dot = module.name.find_last_of('.');
    result.insert(dot == std::string::npos ? std::string() : module.name.substr(0, dot));
  }
  return result;
}

std::string described(const PytorchModule& module) {
  return fmt::format("{} ({})", module.name.empty() ? "the module" : shown(module.name), printable(module.type));
}

// Layers with nothing between them that is not linear.
std::vector<std::string> without_activation(const Graph& graph, const std::map<std::string, std::string>& modules) {
  std::vector<std::string> result;
  const Node* before = nullptr;
  for (const auto& node : graph.nodes) {
    if (is_activation(node.layer)) before = nullptr;
    if (!is_learned(node.layer)) continue;
    if (before != nullptr) {
      result.push_back(fmt::format("has no activation between {} and {}: its forward() calls functions, which are not in the file",
                                   shown(modules.at(before->name)), shown(modules.at(node.name))));
    }
    before = &node;
  }
  return result;
}

// The module's layer; nothing, with a problem more, if there is none.
std::optional<ModuleLayer> layer_of(const PytorchModule& module, const SourceLayer* source, bool flat,
                                    std::vector<std::string>& problems) {
  try {
    return module_layer(module, source, flat);
  } catch (const Error& error) {
    problems.push_back(fmt::format("{}: {}", described(module), error.message()));
    return std::nullopt;
  }
}

}  // namespace

ModuleGraph module_graph(const std::vector<PytorchModule>& modules, const SourceLayers& source, const std::string& where) {
  constexpr const char* kHint = "--arch NAME or --arch FILE.json says what it computes";
  if (modules.size() > kMaxModules) {
    throw Error(ErrorKind::model, where, fmt::format("has {} modules, at most {} are understood", modules.size(), kMaxModules),
                kHint);
  }
  ModuleGraph result;
  Graph& graph = result.placement.graph;
  result.placement.by = Placement::By::names;
  graph.inputs = {{"data", {3, 224, 224}}};
  Chain chain(graph);
  const auto with_children = parents(modules);
  std::map<std::string, std::string> module_of;
  std::vector<std::string> problems;
  bool flat = false;
  for (const auto& module : modules) {
    if (with_children.contains(module.name)) {
      if (std::ranges::find(kContainers, torch_class(module)) == kContainers.end()) result.all_known = false;
      continue;
    }
    const auto own = std::ranges::find(source.layers, module.name, &SourceLayer::original);
    const auto* tensors = own == source.layers.end() ? nullptr : &*own;
    auto made = layer_of(module, tensors, flat, problems);
    if (!made || !made->layer) continue;
    if (std::holds_alternative<Linear>(*made->layer) && !flat) chain.add_flatten();
    flat = flat || std::holds_alternative<Linear>(*made->layer) || std::holds_alternative<Flatten>(*made->layer);
    if (graph.nodes.empty() && std::holds_alternative<Convolution>(*made->layer))
      graph.inputs.front().shape[0] = whole_number(module, "in_channels");
    const auto& name = chain.add(std::move(*made->layer));
    module_of[name] = module.name;
    if (tensors != nullptr)
      result.placement.sources[name] = {tensors->name};
    else
      result.placement.sources[name] = {module.name};
    if (made->lrn) result.lrn.emplace(name, *made->lrn);
  }
  if (problems.empty() && !result.all_known) problems = without_activation(graph, module_of);
  if (problems.empty() && graph.nodes.empty()) problems.emplace_back("has no layers");
  refuse_if_any(problems, where, kHint);
  if (!std::holds_alternative<Softmax>(graph.nodes.back().layer)) chain.add(Softmax{});
  graph.outputs = {graph.nodes.back().name};
  return result;
}

bool same_structure(const Graph& a, const Graph& b) {
  const auto bare = [](const Graph& graph) {
    std::vector<Layer> layers;
    for (const auto& node : graph.nodes) {
      if (std::holds_alternative<Dropout>(node.layer) || std::holds_alternative<BatchNorm>(node.layer)) continue;
      layers.push_back(node.layer);
      if (auto* convolution = std::get_if<Convolution>(&layers.back())) {
        convolution->out_channels = 0;
        convolution->bias = true;
      }
      if (auto* linear = std::get_if<Linear>(&layers.back())) *linear = {};
    }
    return layers;
  };
  return a.inputs.front().shape == b.inputs.front().shape && bare(a) == bare(b);
}

}  // namespace alexnet
