// The JSON form of layers, made from each kind's own list of fields.
#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"
#include "layers/layer.h"

namespace alexnet {
namespace {

template <typename E>
struct EnumNames;
template <>
struct EnumNames<Rounding> {
  static constexpr std::array<std::string_view, 2> kNames{"floor", "ceil"};
};
template <>
struct EnumNames<LrnRegion> {
  static constexpr std::array<std::string_view, 2> kNames{"across_channels", "within_channel"};
};
template <>
struct EnumNames<EvenWindow> {
  static constexpr std::array<std::string_view, 3> kNames{"before", "after", "none"};
};

[[noreturn]] void wrong_value(std::string_view key, const Json& value, const std::string& wanted) {
  constexpr std::size_t kMaxShown = 60;
  auto found = value.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
  if (found.size() > kMaxShown) found = found.substr(0, kMaxShown) + "...";
  throw Error(ErrorKind::model, "", fmt::format("'{}' is {}, must be {}", key, found, wanted));
}

void read(std::string_view key, const Json& json, bool& value) {
  if (!json.is_boolean()) wrong_value(key, json, "true or false");
  value = json.get<bool>();
}

void read(std::string_view key, const Json& json, std::int64_t& value) {
  const bool fits =
      json.is_number_integer() && !(json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t{INT64_MAX});
  if (!fits) wrong_value(key, json, "a whole number");
  value = json.get<std::int64_t>();
}

void read(std::string_view key, const Json& json, double& value) {
  if (!json.is_number()) wrong_value(key, json, "a number");
  value = json.get<double>();
}

template <std::size_t N>
void read(std::string_view key, const Json& json, std::array<std::int64_t, N>& value) {
  if (!json.is_array() || json.size() != N) wrong_value(key, json, fmt::format("a list of {} whole numbers", N));
  for (std::size_t i = 0; i < N; ++i) read(key, json[i], value[i]);
}

template <typename E>
requires std::is_enum_v<E>
void read(std::string_view key, const Json& json, E& value) {
  const auto& names = EnumNames<E>::kNames;
  const auto found = json.is_string() ? std::find(names.begin(), names.end(), json.get_ref<const std::string&>()) : names.end();
  if (found == names.end()) wrong_value(key, json, fmt::format("one of {}", fmt::join(names, ", ")));
  value = static_cast<E>(found - names.begin());
}

template <typename T>
Json written(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return EnumNames<T>::kNames[static_cast<std::size_t>(value)];
  } else {
    return value;
  }
}

template <typename Kind>
Kind read_fields(const Json& json, std::span<const std::string_view> ignored) {
  Kind layer;
  std::vector<std::string> known;
  Kind::fields(layer, [&](std::string_view key, auto& value) {
    known.emplace_back(key);
    if (const auto found = json.find(key); found != json.end()) read(key, *found, value);
  });
  for (const auto& [key, value] : json.items()) {
    if (key == "kind" || std::ranges::find(known, key) != known.end() || std::ranges::find(ignored, key) != ignored.end()) continue;
    const auto likely = nearest(key, known);
    throw Error(ErrorKind::model, "", fmt::format("{} has no parameter {}", Kind::kKind, shown(key)),
                likely ? fmt::format("did you mean '{}'?", *likely) : "");
  }
  return layer;
}

// Tries the kinds of the variant in turn.
template <std::size_t Index = 0>
Layer read_kind(const std::string& wanted, const Json& json, std::span<const std::string_view> ignored,
                std::vector<std::string>& kinds) {
  if constexpr (Index < std::variant_size_v<Layer>) {
    using Kind = std::variant_alternative_t<Index, Layer>;
    if (Kind::kKind == wanted) return read_fields<Kind>(json, ignored);
    kinds.emplace_back(Kind::kKind);
    return read_kind<Index + 1>(wanted, json, ignored, kinds);
  } else {
    const auto likely = nearest(wanted, kinds);
    throw Error(ErrorKind::model, "", fmt::format("unknown layer kind {}", shown(wanted)),
                likely ? fmt::format("did you mean '{}'?", *likely) : fmt::format("known: {}", join(kinds, ", ")));
  }
}

}  // namespace

Json to_json(const Layer& layer) {
  return std::visit(
      [](const auto& l) {
        using Kind = std::decay_t<decltype(l)>;
        Json defaults = Json::object();
        const Kind fresh{};
        Kind::fields(fresh, [&](std::string_view key, const auto& value) { defaults[std::string(key)] = written(value); });
        Json json{{"kind", Kind::kKind}};
        Kind::fields(l, [&](std::string_view key, const auto& value) {
          Json one = written(value);
          if (one != defaults[std::string(key)]) json[std::string(key)] = std::move(one);
        });
        return json;
      },
      layer);
}

Layer layer_from_json(const Json& json, std::span<const std::string_view> ignored) {
  if (!json.is_object()) throw Error(ErrorKind::model, "", "a layer must be a JSON object");
  const auto found = json.find("kind");
  if (found == json.end() || !found->is_string()) throw Error(ErrorKind::model, "", "a layer needs a 'kind'");
  std::vector<std::string> kinds;
  return read_kind(found->get<std::string>(), json, ignored, kinds);
}

}  // namespace alexnet
