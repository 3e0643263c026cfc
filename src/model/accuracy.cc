#include "model/accuracy.h"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/json_fields.h"
#include "base/located.h"

namespace alexnet {
namespace {

constexpr std::array<std::string_view, 3> kPrecisions{"f32", "bf16", "int8"};

TopShares shares_from_json(const Json& json) {
  const auto shares = read_fields<TopShares>(json, "shares", {});
  for (const double share : {shares.top1, shares.top5}) {
    if (!(share >= 0 && share <= 100)) throw Error(ErrorKind::model, "", fmt::format("{} is no share in per cent", share));
  }
  for (const auto& count : {shares.better, shares.worse}) {
    if (count && *count < 0) throw Error(ErrorKind::model, "", fmt::format("{} is no number of pictures", *count));
  }
  return shares;
}

Json to_json(const TopShares& shares) {
  Json json = Json::object();
  write_fields(shares, json);
  return json;
}

}  // namespace

Accuracy accuracy_from_json(const Json& json) {
  Accuracy accuracy;
  const auto precisions = [&](const Json& object) {
    std::vector<JsonField> fields;
    for (const auto precision : kPrecisions) {
      fields.push_back({precision, [&accuracy, precision](const Json& value) {
                          accuracy.precisions[std::string(precision)] =
                              located(std::string(precision), [&] { return shares_from_json(value); });
                        }});
    }
    located("precisions", [&] { read_object(object, "precisions", fields, {}); });
  };
  const std::array<JsonField, 5> fields{{
      {"data", [&](const Json& value) { read_json("data", value, accuracy.data); }},
      {"pictures", [&](const Json& value) { read_json("pictures", value, accuracy.pictures); }},
      {"command", [&](const Json& value) { read_json("command", value, accuracy.command); }},
      {"source", [&](const Json& value) { accuracy.source = located("source", [&] { return shares_from_json(value); }); }},
      {"precisions", precisions},
  }};
  read_object(json, "accuracy", fields, {});
  return accuracy;
}

Json to_json(const Accuracy& accuracy) {
  Json json{{"data", accuracy.data}, {"pictures", accuracy.pictures}, {"command", accuracy.command}};
  if (accuracy.source) json["source"] = to_json(*accuracy.source);
  json["precisions"] = Json::object();
  for (const auto precision : kPrecisions) {
    const auto found = accuracy.precisions.find(std::string(precision));
    if (found != accuracy.precisions.end()) json["precisions"][std::string(precision)] = to_json(found->second);
  }
  return json;
}

std::optional<double> top1_cost(const Accuracy& accuracy, const std::string& precision) {
  const auto f32 = accuracy.precisions.find("f32");
  const auto other = accuracy.precisions.find(precision);
  if (f32 == accuracy.precisions.end() || other == accuracy.precisions.end()) return std::nullopt;
  return f32->second.top1 - other->second.top1;
}

}  // namespace alexnet
