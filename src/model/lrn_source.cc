#include "model/lrn_source.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/located.h"
#include "base/text.h"

namespace alexnet {

LrnSources lrn_sources_from_json(const Json& json, const Graph& graph) {
  if (!json.is_object()) throw Error(ErrorKind::model, "", "must be a JSON object");
  LrnSources sources;
  for (const auto& [name, source] : json.items()) {
    const Node* node = find(graph, name);
    if (node == nullptr || !std::holds_alternative<Lrn>(node->layer)) {
      throw Error(ErrorKind::model, "", fmt::format("{} is no response normalisation of the graph", shown(name)));
    }
    sources.emplace(name,
                    located(fmt::format("layer {}", shown(name)), [&source = source] { return lrn::source_from_json(source); }));
  }
  return sources;
}

Json to_json(const LrnSources& sources) {
  Json json = Json::object();
  for (const auto& [name, source] : sources) json[name] = lrn::to_json(source);
  return json;
}

}  // namespace alexnet
