#include "base/json_fields.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

[[noreturn]] void wrong_value(std::string_view key, const Json& value, const std::string& wanted) {
  constexpr std::size_t kMaxShown = 60;
  auto found = value.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
  if (found.size() > kMaxShown) found = found.substr(0, kMaxShown) + "...";
  throw Error(ErrorKind::model, "", fmt::format("'{}' is {}, must be {}", key, found, wanted));
}

template <typename T>
void read_list(std::string_view key, const Json& json, std::span<T> values, std::string_view what) {
  if (!json.is_array() || json.size() != values.size()) wrong_value(key, json, fmt::format("a list of {} {}", values.size(), what));
  for (std::size_t i = 0; i < values.size(); ++i) read_json(key, json[i], values[i]);
}

template <typename T>
void write_list(Json& object, std::string_view key, std::span<const T> values) {
  object[std::string(key)] = std::vector<T>(values.begin(), values.end());
}

std::string likely_hint(std::string_view word, std::span<const std::string> candidates) {
  if (candidates.empty()) return {};
  const auto likely = nearest(word, candidates);
  return likely ? fmt::format("did you mean '{}'?", *likely) : fmt::format("known: {}", join(candidates, ", "));
}

}  // namespace

void read_json(std::string_view key, const Json& json, bool& value) {
  if (!json.is_boolean()) wrong_value(key, json, "true or false");
  value = json.get<bool>();
}

void read_json(std::string_view key, const Json& json, std::int64_t& value) {
  const bool fits =
      json.is_number_integer() && !(json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t{INT64_MAX});
  if (!fits) wrong_value(key, json, "a whole number");
  value = json.get<std::int64_t>();
}

void read_json(std::string_view key, const Json& json, double& value) {
  if (!json.is_number()) wrong_value(key, json, "a number");
  value = json.get<double>();
}

void read_json(std::string_view key, const Json& json, std::string& value) {
  if (!json.is_string()) wrong_value(key, json, "a text");
  value = json.get<std::string>();
}

void read_json(std::string_view key, const Json& json, std::span<std::int64_t> values) {
  read_list(key, json, values, "whole numbers");
}

void read_json(std::string_view key, const Json& json, std::vector<std::int64_t>& values) {
  if (!json.is_array() || json.size() > kMaxListed) {
    wrong_value(key, json, fmt::format("a list of at most {} whole numbers", kMaxListed));
  }
  values.resize(json.size());
  read_json(key, json, std::span<std::int64_t>(values));
}

void read_json(std::string_view key, const Json& json, std::span<double> values) { read_list(key, json, values, "numbers"); }

std::size_t read_json_name(std::string_view key, const Json& json, std::span<const std::string_view> names) {
  const auto found = json.is_string() ? std::ranges::find(names, json.get_ref<const std::string&>()) : names.end();
  if (found == names.end()) wrong_value(key, json, fmt::format("one of {}", fmt::join(names, ", ")));
  return static_cast<std::size_t>(found - names.begin());
}

void write_json(Json& object, std::string_view key, bool value) { object[std::string(key)] = value; }
void write_json(Json& object, std::string_view key, std::int64_t value) { object[std::string(key)] = value; }
void write_json(Json& object, std::string_view key, double value) { object[std::string(key)] = value; }
void write_json(Json& object, std::string_view key, std::string_view value) { object[std::string(key)] = value; }
void write_json(Json& object, std::string_view key, std::span<const std::int64_t> values) { write_list(object, key, values); }
void write_json(Json& object, std::string_view key, std::span<const double> values) { write_list(object, key, values); }

void drop_defaults(Json& object, const Json& defaults) {
  for (const auto& [key, value] : defaults.items()) {
    if (const auto found = object.find(key); found != object.end() && *found == value) object.erase(found);
  }
}

void read_object(const Json& json, std::string_view what, std::span<const JsonField> fields,
                 std::span<const std::string_view> ignored) {
  for (const JsonField& field : fields) {
    if (const auto found = json.find(field.key); found != json.end()) field.read(*found);
  }
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(fields, key, &JsonField::key) != fields.end()) continue;
    if (std::ranges::find(ignored, key) != ignored.end()) continue;
    std::vector<std::string> known;
    for (const JsonField& field : fields) known.emplace_back(field.key);
    throw Error(ErrorKind::model, "", fmt::format("{} has no parameter {}", what, shown(key)), likely_hint(key, known));
  }
}

std::size_t read_tag(const Json& json, std::string_view what, std::string_view tag, std::span<const std::string_view> names) {
  if (!json.is_object()) throw Error(ErrorKind::model, "", fmt::format("a {} must be a JSON object", what));
  const auto found = json.find(tag);
  if (found == json.end() || !found->is_string()) throw Error(ErrorKind::model, "", fmt::format("a {} needs a '{}'", what, tag));
  const auto& wanted = found->get_ref<const std::string&>();
  const auto name = std::ranges::find(names, wanted);
  if (name != names.end()) return static_cast<std::size_t>(name - names.begin());
  const std::vector<std::string> known(names.begin(), names.end());
  const std::string kind = what == tag ? std::string(tag) : fmt::format("{} {}", what, tag);
  throw Error(ErrorKind::model, "", fmt::format("unknown {} {}", kind, shown(wanted)), likely_hint(wanted, known));
}

}  // namespace alexnet
