#include "base/json.h"

#include <set>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {

Json parse_json(std::string_view text, const std::string& where) {
  constexpr int kMaxDepth = 64;
  constexpr std::size_t kMaxKeys = 10'000;  // ordered_json looks keys up one by one
  constexpr std::size_t kMaxValues = 1'000'000;
  const auto refuse = [&](const std::string& message) { throw Error(ErrorKind::model, where, message); };
  // The parser takes a NUL for the end of the text.
  if (text.find('\0') != std::string_view::npos) refuse("is not valid JSON: it has a NUL byte");
  std::size_t values = 0;
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) refuse(fmt::format("JSON is nested deeper than {} levels", kMaxDepth));
    if (++values > kMaxValues) refuse(fmt::format("JSON has more than {} values", kMaxValues));
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (!keys.back().insert(key).second) refuse(fmt::format("JSON has the key {} twice", shown(key)));
      if (keys.back().size() > kMaxKeys) refuse(fmt::format("JSON has more than {} keys in one object", kMaxKeys));
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::model, where, fmt::format("is not valid JSON: {:.200}", error.what()));
  }
}

}  // namespace alexnet
