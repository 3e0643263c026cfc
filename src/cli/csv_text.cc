#include "cli/csv_text.h"

#include "base/text.h"

namespace alexnet::cli {

std::string csv_text(std::string_view text) {
  const std::string valid = to_utf8_lossy(text);
  if (valid.find_first_of(",\"\r\n") == std::string::npos) return valid;
  std::string result = "\"";
  for (const char c : valid) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

}  // namespace alexnet::cli
