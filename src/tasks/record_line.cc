#include "tasks/record_line.h"

#include <cstdint>
#include <limits>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace alexnet {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::model, "", "is no record: " + message); }

const Json* find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// A kind that is none of ours is another engine's.
Error read_error(const Json& json, const std::string& path) {
  const Json* kind = json.is_object() ? find(json, "kind") : nullptr;
  const Json* message = json.is_object() ? find(json, "message") : nullptr;
  const std::string text = message != nullptr && message->is_string() ? message->get<std::string>() : "could not be used";
  for (int i = 0; i <= static_cast<int>(ErrorKind::resources); ++i) {
    const auto known = static_cast<ErrorKind>(i);
    if (kind != nullptr && kind->is_string() && kind->get<std::string>() == name(known)) return {known, path, text};
  }
  return {ErrorKind::corrupt, path, text};
}

// Nothing for text that is not base64 with its padding.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = i + padding < text.size() ? kDigits.find(text[i]) : 0;
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    if (i % 4 == 3) bytes += {static_cast<char>(group >> 16), static_cast<char>(group >> 8), static_cast<char>(group)};
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

ReadClass read_class(const Json& json) {
  if (!json.is_object()) refuse("an entry of top is no object");
  ReadClass result;
  const Json* index = find(json, "index");
  const Json* probability = find(json, "probability");
  if (index == nullptr || !index->is_number_integer()) refuse("an entry of top has no index");
  result.index = index->get<std::int64_t>();
  if (const Json* id = find(json, "id"); id != nullptr && id->is_string()) result.id = id->get<std::string>();
  result.probability =
      probability != nullptr && probability->is_number() ? probability->get<double>() : std::numeric_limits<double>::quiet_NaN();
  return result;
}

}  // namespace

ReadRecord read_record(std::string_view line) {
  const Json json = parse_json(line, "");
  if (!json.is_object()) refuse("no JSON object");
  const Json* path = find(json, "path");
  if (path == nullptr || !path->is_string()) refuse("no path");
  ReadRecord record;
  record.path = path->get<std::string>();
  if (const Json* bytes = find(json, "path_base64"); bytes != nullptr) {
    const auto decoded = bytes->is_string() ? from_base64(bytes->get<std::string>()) : std::nullopt;
    if (!decoded) refuse("path_base64 is not in base64");
    record.path = *decoded;
  }
  record.logits = find(json, "logits") != nullptr;
  if (const Json* error = find(json, "error"); error != nullptr) {
    record.error = read_error(*error, record.path);
    return record;
  }
  const Json* top = find(json, "top");
  if (top == nullptr || !top->is_array() || top->empty()) refuse("neither top nor error");
  for (const auto& entry : *top) record.top.push_back(read_class(entry));
  return record;
}

}  // namespace alexnet
