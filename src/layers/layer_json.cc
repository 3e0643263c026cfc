// The JSON form of layers, made from each kind's own list of fields.
#include <nlohmann/json.hpp>

#include "layers/enum_names.h"
#include "layers/layer.h"

namespace alexnet {

Json to_json(const Layer& layer) {
  return std::visit(
      []<typename Kind>(const Kind& l) {
        Json json{{"kind", Kind::kKind}};
        write_fields(l, json);
        Json defaults = Json::object();
        write_fields(Kind{}, defaults);
        drop_defaults(json, defaults);
        return json;
      },
      layer);
}

Layer layer_from_json(const Json& json, std::span<const std::string_view> ignored) {
  return read_tagged<Layer>(json, "layer", "kind", ignored);
}

}  // namespace alexnet
