#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"
#include "graph/graph.h"

namespace alexnet {
namespace {

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::model, "graph", message); }

const Json& list(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) fail(fmt::format("needs a list of '{}'", key));
  return *found;
}

void only_keys(const Json& json, std::span<const std::string_view> keys, const char* what) {
  if (!json.is_object()) fail(fmt::format("{} must be a JSON object", what));
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(keys, key) == keys.end()) fail(fmt::format("{} has the unknown key {}", what, shown(key)));
  }
}

std::vector<std::string> names(const Json& json, const char* what) {
  std::vector<std::string> result;
  for (const auto& name : json) {
    if (!name.is_string()) fail(fmt::format("{} must be a list of names", what));
    result.push_back(name.get<std::string>());
  }
  return result;
}

std::string text(const Json& json, const char* key, const char* what) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) fail(fmt::format("{} needs a '{}'", what, key));
  return found->get<std::string>();
}

GraphInput input_from_json(const Json& json) {
  static constexpr std::array<std::string_view, 2> kKeys{"name", "shape"};
  only_keys(json, kKeys, "an input");
  GraphInput input{text(json, "name", "an input"), {}};
  std::vector<std::int64_t> extents;
  const auto found = json.find("shape");
  for (const auto& extent : found != json.end() && found->is_array() ? *found : Json::array()) {
    if (!extent.is_number_integer()) fail(fmt::format("input {} has a shape that is not whole numbers", shown(input.name)));
    extents.push_back(extent.get<std::int64_t>());
  }
  const auto shape = Shape::make(extents);
  // One axis stays free for the batch.
  if (!shape || shape->rank() == 0 || shape->rank() >= Shape::kMaxRank || shape->elements() == 0) {
    fail(fmt::format("input {} needs a 'shape' of 1 to {} positive extents", shown(input.name), Shape::kMaxRank - 1));
  }
  input.shape = *shape;
  return input;
}

Node node_from_json(const Json& json) {
  static constexpr std::array<std::string_view, 2> kKeys{"name", "inputs"};
  if (!json.is_object()) fail("a layer must be a JSON object");
  const auto name = text(json, "name", "a layer");
  const auto found = json.find("inputs");
  if (found == json.end() || !found->is_array()) fail(fmt::format("layer {} needs its 'inputs', a list of names", shown(name)));
  try {
    return {name, layer_from_json(json, kKeys), names(*found, "inputs")};
  } catch (const Error& error) {
    throw Error(error.kind(), "layer " + shown(name), error.message(), error.hint());
  }
}

}  // namespace

Json to_json(const Graph& graph) {
  Json inputs = Json::array();
  for (const auto& input : graph.inputs) {
    Json shape = Json::array();
    for (const auto extent : input.shape.extents()) shape.push_back(extent);
    inputs.push_back({{"name", input.name}, {"shape", shape}});
  }
  Json layers = Json::array();
  for (const auto& node : graph.nodes) {
    Json json{{"name", node.name}};
    Json layer = to_json(node.layer);
    json["kind"] = layer["kind"];
    json["inputs"] = node.inputs;
    json.update(layer);
    layers.push_back(std::move(json));
  }
  return {{"inputs", inputs}, {"layers", layers}, {"outputs", graph.outputs}};
}

Graph graph_from_json(const Json& json) {
  static constexpr std::array<std::string_view, 3> kKeys{"inputs", "layers", "outputs"};
  only_keys(json, kKeys, "it");
  Graph graph;
  for (const auto& input : list(json, "inputs")) graph.inputs.push_back(input_from_json(input));
  for (const auto& layer : list(json, "layers")) graph.nodes.push_back(node_from_json(layer));
  graph.outputs = names(list(json, "outputs"), "outputs");
  graph = checked(std::move(graph));
  infer_shapes(graph, 1);
  return graph;
}

}  // namespace alexnet
