#include "cli/model_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace alexnet::cli {

std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string grouped(std::int64_t number) { return grouped(static_cast<std::uint64_t>(number)); }

std::vector<std::string> preprocessing_lines(const Preprocessing& preprocessing) {
  std::vector<std::string> lines;
  for (const auto& step : to_json(preprocessing)) {
    std::string line = step["step"].get<std::string>();
    for (const auto& [key, value] : step.items()) {
      if (key != "step") line += fmt::format(" {}={}", key, value.is_string() ? value.get<std::string>() : value.dump());
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string labels_line(const std::vector<Label>& labels) {
  if (labels.empty()) return "no labels";
  std::vector<std::string> some;
  for (std::size_t i = 0; i < std::min<std::size_t>(labels.size(), 5); ++i) some.push_back(printable(labels[i].label));
  return fmt::format("labels {}: {}{}", labels.size(), join(some, "; "), labels.size() > some.size() ? "; ..." : "");
}

}  // namespace alexnet::cli
