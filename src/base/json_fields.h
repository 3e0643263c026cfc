// Plain structs to JSON objects and back, by the list of fields that each struct gives of itself:
//   static void fields(auto& self, auto&& visit) { visit("stride", self.stride); ... }
// Fields are bool, std::int64_t, double, std::string, enums, std::array of the numbers, std::optional of all these, and short lists
// of std::int64_t.
// Reading is strict: a key that the struct does not have and a value of another type throw Error of kind model, without a
// place, which the caller adds. An absent key leaves the field's default.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/json.h"

namespace alexnet {

// To be specialised with the names of an enum's values, from 0 on: static constexpr std::array<std::string_view, 2> kNames{...}.
template <typename E>
struct EnumNames;

void read_json(std::string_view key, const Json& json, bool& value);
void read_json(std::string_view key, const Json& json, std::int64_t& value);
void read_json(std::string_view key, const Json& json, double& value);
void read_json(std::string_view key, const Json& json, std::string& value);
// Lists of exactly as many numbers.
void read_json(std::string_view key, const Json& json, std::span<std::int64_t> values);
void read_json(std::string_view key, const Json& json, std::span<double> values);
// A list of any length up to kMaxListed.
inline constexpr std::size_t kMaxListed = 8;
void read_json(std::string_view key, const Json& json, std::vector<std::int64_t>& values);
// The position of a text among the names.
std::size_t read_json_name(std::string_view key, const Json& json, std::span<const std::string_view> names);

template <typename E>
requires std::is_enum_v<E>
void read_json(std::string_view key, const Json& json, E& value) {
  value = static_cast<E>(read_json_name(key, json, EnumNames<E>::kNames));
}

template <typename T, std::size_t N>
void read_json(std::string_view key, const Json& json, std::array<T, N>& values) {
  read_json(key, json, std::span<T>(values));
}

template <typename T>
void read_json(std::string_view key, const Json& json, std::optional<T>& value) {
  read_json(key, json, value.emplace());
}

// Adds a key to an object.
void write_json(Json& object, std::string_view key, bool value);
void write_json(Json& object, std::string_view key, std::int64_t value);
void write_json(Json& object, std::string_view key, double value);
void write_json(Json& object, std::string_view key, std::string_view value);
void write_json(Json& object, std::string_view key, std::span<const std::int64_t> values);
void write_json(Json& object, std::string_view key, std::span<const double> values);

template <typename E>
requires std::is_enum_v<E>
void write_json(Json& object, std::string_view key, E value) {
  write_json(object, key, EnumNames<E>::kNames[static_cast<std::size_t>(value)]);
}

template <typename T, std::size_t N>
void write_json(Json& object, std::string_view key, const std::array<T, N>& values) {
  write_json(object, key, std::span<const T>(values));
}

template <typename T>
void write_json(Json& object, std::string_view key, const std::optional<T>& value) {
  if (value) write_json(object, key, *value);
}

// Adds every field to the object; an empty std::optional is left out.
template <typename Struct>
void write_fields(const Struct& value, Json& object) {
  Struct::fields(value, [&](std::string_view key, const auto& field) { write_json(object, key, field); });
}

// Takes away every key that `defaults` has with an equal value.
void drop_defaults(Json& object, const Json& defaults);

struct JsonField {
  std::string_view key;
  std::function<void(const Json&)> read;
};

// Reads those fields of an object that are there; any other key must be one of `ignored`. `what` names the object in messages.
void read_object(const Json& json, std::string_view what, std::span<const JsonField> fields,
                 std::span<const std::string_view> ignored);

template <typename Struct>
Struct read_fields(const Json& json, std::string_view what, std::span<const std::string_view> ignored) {
  Struct result;
  std::vector<JsonField> fields;
  Struct::fields(result, [&](std::string_view key, auto& field) {
    fields.push_back({key, [key, &field](const Json& value) { read_json(key, value, field); }});
  });
  read_object(json, what, fields, ignored);
  return result;
}

// The text that an object has under `tag`, which must be one of the names: its position among them. `what` names the object.
std::size_t read_tag(const Json& json, std::string_view what, std::string_view tag, std::span<const std::string_view> names);

// The alternative of a std::variant whose kKind stands under `tag`, read from the object's other keys but those `ignored`.
template <typename Variant, std::size_t Index = 0>
Variant read_alternative(const Json& json, std::size_t wanted, std::span<const std::string_view> ignored) {
  if constexpr (Index < std::variant_size_v<Variant>) {
    using Kind = std::variant_alternative_t<Index, Variant>;
    if (Index == wanted) return read_fields<Kind>(json, Kind::kKind, ignored);
    return read_alternative<Variant, Index + 1>(json, wanted, ignored);
  } else {
    return {};
  }
}

template <typename... Kinds>
constexpr std::array<std::string_view, sizeof...(Kinds)> kinds_of(std::type_identity<std::variant<Kinds...>>) {
  return {Kinds::kKind...};
}

template <typename Variant>
Variant read_tagged(const Json& json, std::string_view what, std::string_view tag, std::span<const std::string_view> ignored = {}) {
  std::vector<std::string_view> skipped(ignored.begin(), ignored.end());
  skipped.push_back(tag);
  return read_alternative<Variant>(json, read_tag(json, what, tag, kinds_of(std::type_identity<Variant>{})), skipped);
}

}  // namespace alexnet
