#include "model/labels.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

[[noreturn]] void refuse(std::size_t output, const std::string& message) {
  throw Error(ErrorKind::model, "", fmt::format("the label of output {} {}", output, message));
}

std::string text_at(const Json& json, const char* key, std::size_t output) {
  const auto found = json.find(key);
  if (json.size() != 2 || found == json.end() || !found->is_string()) refuse(output, R"(must be {"id": TEXT, "label": TEXT})");
  auto text = found->get<std::string>();
  const bool control = std::ranges::any_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
  if (control) refuse(output, fmt::format("has a control character: {}", shown(text)));
  return text;
}

}  // namespace

std::vector<Label> labels_from_json(const Json& json) {
  if (!json.is_array()) throw Error(ErrorKind::model, "", "must be a list of labels");
  std::vector<Label> labels;
  std::map<std::pair<std::string, std::string>, std::size_t> seen;
  for (const auto& one : json) {
    const std::size_t output = labels.size();
    Label label{.id = text_at(one, "id", output), .label = text_at(one, "label", output)};
    if (label.label.empty()) refuse(output, "is empty");
    // With ids, the same label may stand for two classes (ImageNet has two cranes).
    const auto [first, inserted] = seen.emplace(std::pair(label.id, label.id.empty() ? label.label : ""), output);
    if (!inserted)
      refuse(output, fmt::format("repeats {} of output {}", shown(label.id.empty() ? label.label : label.id), first->second));
    labels.push_back(std::move(label));
  }
  return labels;
}

Json to_json(const std::vector<Label>& labels) {
  Json json = Json::array();
  for (const auto& label : labels) json.push_back({{"id", label.id}, {"label", label.label}});
  return json;
}

}  // namespace alexnet
