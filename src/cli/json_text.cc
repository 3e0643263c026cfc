#include "cli/json_text.h"

#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace alexnet::cli {

std::string json_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : to_utf8_lossy(text)) {
    switch (c) {
      case '"': result += "\\\""; break;
      case '\\': result += "\\\\"; break;
      case '\n': result += "\\n"; break;
      case '\r': result += "\\r"; break;
      case '\t': result += "\\t"; break;
      default:
        if ((c >= 0 && c < 0x20) || c == 0x7f) {
          result += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
          result += c;
        }
    }
  }
  return result + "\"";
}

std::string json_number(float value) { return std::isfinite(value) ? shortest(value) : "null"; }

std::string json_path(std::string_view path) {
  std::string result = fmt::format("\"path\": {}", json_text(path));
  if (!is_utf8(path)) result += fmt::format(", \"path_base64\": \"{}\"", base64(path));
  return result;
}

std::string json_error(const Error& error) {
  return fmt::format("\"error\": {{\"kind\": \"{}\", \"message\": {}}}", name(error.kind()), json_text(message_of(error)));
}

std::string message_of(const Error& error) {
  return printable(error.hint().empty() ? error.message() : fmt::format("{} ({})", error.message(), error.hint()));
}

}  // namespace alexnet::cli
