#include "tasks/class_names.h"

#include <algorithm>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

constexpr std::size_t kListed = 8;

}  // namespace

ClassNames::ClassNames(const std::vector<Label>& labels, std::int64_t classes) : classes_(classes) {
  const auto put = [](Names& names, std::string name, std::int64_t index) {
    const auto [at, is_new] = names.emplace(std::move(name), index);
    if (!is_new && at->second != index) at->second = kSeveral;
  };
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    if (!labels[i].id.empty()) put(ids_, labels[i].id, index);
    put(labels_, labels[i].label, index);
    for (const auto& name : split(labels[i].label, ',')) put(names_, std::string(trim(name)), index);
  }
  for (const Names* names : {&ids_, &labels_, &names_}) {
    for (const auto& [name, index] : *names) candidates_.push_back(name);
  }
}

std::optional<std::int64_t> ClassNames::find(const std::string& text) const {
  for (const Names* names : {&ids_, &labels_, &names_}) {
    if (const auto found = names->find(text); found != names->end()) {
      return found->second == kSeveral ? std::nullopt : std::optional(found->second);
    }
  }
  const auto index = parse_integer(text);
  return index && *index >= 0 && *index < classes_ ? std::optional<std::int64_t>(*index) : std::nullopt;
}

std::string ClassNames::explained(const std::string& unknown) const {
  if (labels_.contains(unknown) || names_.contains(unknown))
    return fmt::format("{}, which several classes are called", shown(unknown));
  const auto near = nearest(unknown, candidates_);
  return near ? fmt::format("{}, is it {}?", shown(unknown), shown(*near)) : shown(unknown);
}

void ClassNames::refuse_if_any(const std::vector<std::string>& unknown, const std::string& where, const std::string& what) const {
  if (unknown.empty()) return;
  std::vector<std::string> listed;
  for (const auto& text : std::span(unknown).first(std::min(unknown.size(), kListed))) listed.push_back(explained(text));
  const std::string rest = unknown.size() > kListed ? fmt::format("; and {} more", unknown.size() - kListed) : "";
  throw Error(ErrorKind::model, where,
              fmt::format("{} {} that name none of the network's {} classes: {}{}", unknown.size(), what, classes_,
                          join(listed, "; "), rest),
              "a class is named by its id, its label or its index; alexnet inspect --json lists them");
}

}  // namespace alexnet
