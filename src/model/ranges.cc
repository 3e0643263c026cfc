#include "model/ranges.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/json_fields.h"
#include "base/located.h"
#include "base/text.h"

namespace alexnet {
namespace {

bool has(const Graph& graph, const std::string& name) {
  return find(graph, name) != nullptr || std::ranges::find(graph.inputs, name, &GraphInput::name) != graph.inputs.end();
}

Range range_from_json(const Json& json) {
  std::array<double, 2> limits{};
  read_json("range", json, limits);
  const Range range{limits[0], limits[1]};
  // Their distance, too, must be a float.
  const bool finite = std::isfinite(static_cast<float>(range.highest - range.lowest));
  if (!finite || range.lowest > 0 || range.highest < 0) {
    throw Error(ErrorKind::model, "", fmt::format("{} to {} is no finite range around zero", range.lowest, range.highest));
  }
  return range;
}

}  // namespace

Ranges ranges_from_json(const Json& json) {
  Ranges ranges;
  const auto tensors = [&](const Json& object) {
    if (!object.is_object()) throw Error(ErrorKind::model, "tensors", "is no object of ranges");
    for (const auto& [name, value] : object.items()) {
      located(fmt::format("tensors: {}", name), [&] { ranges.tensors[name] = range_from_json(value); });
    }
  };
  const std::array<JsonField, 3> fields{{
      {"data", [&](const Json& value) { read_json("data", value, ranges.data); }},
      {"pictures", [&](const Json& value) { read_json("pictures", value, ranges.pictures); }},
      {"tensors", tensors},
  }};
  read_object(json, "ranges", fields, {});
  return ranges;
}

void check(const Ranges& ranges, const Graph& graph) {
  for (const auto& [name, range] : ranges.tensors) {
    if (!has(graph, name)) throw Error(ErrorKind::model, "tensors", fmt::format("no layer or input is called {}", shown(name)));
  }
}

Json to_json(const Ranges& ranges) {
  Json json{{"data", ranges.data}, {"pictures", ranges.pictures}, {"tensors", Json::object()}};
  for (const auto& [name, range] : ranges.tensors) json["tensors"][name] = {range.lowest, range.highest};
  return json;
}

}  // namespace alexnet
