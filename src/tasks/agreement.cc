#include "tasks/agreement.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "base/located.h"
#include "formats/bytes.h"
#include "tasks/evaluate.h"
#include "tasks/record_line.h"

namespace alexnet {
namespace {

std::string seen_from_here(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).lexically_normal().string();
}

std::size_t hash_of(const std::string& path) { return std::hash<std::string>{}(seen_from_here(path)); }

}  // namespace

Predictions::Predictions(const std::string& file, const ClassNames& classes)
    : where_(file), classes_(classes), file_(MappedFile::open(file)) {
  std::string_view text = as_text(file_->bytes());
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, std::min(text.find('\n'), text.size()));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.find_first_not_of(" \r") == std::string_view::npos) continue;
    const auto record = located(fmt::format("{}: line {}", where_, number), [&] { return read_record(line); });
    lines_.emplace(hash_of(record.path), Line{line, number});
  }
  if (lines_.empty()) throw Error(ErrorKind::model, where_, "has no records");
}

std::optional<std::vector<ScoredClass>> Predictions::find(const std::string& path) const {
  const auto [begin, end] = lines_.equal_range(hash_of(path));
  for (auto at = begin; at != end; ++at) {
    const ReadRecord record = read_record(at->second.text);
    if (seen_from_here(record.path) != seen_from_here(path)) continue;
    if (record.error) return std::nullopt;
    std::vector<ScoredClass> top;
    for (const auto& [index, id, probability] : record.top) {
      const auto by_id = id.empty() ? std::nullopt : classes_.find(id);
      const std::int64_t known = by_id.value_or(index);
      if (known < 0 || known >= classes_.classes()) {
        throw Error(ErrorKind::model, where_,
                    fmt::format("line {} predicts class {}, the network has {}", at->second.number, index, classes_.classes()));
      }
      top.push_back({known, probability});
    }
    return top;
  }
  return std::nullopt;
}

void add(Agreement& agreement, const Classification& ours, const std::optional<std::vector<ScoredClass>>& theirs) {
  if (!theirs) {
    ++agreement.missing;
    return;
  }
  ++agreement.compared;
  const bool we = is_right(ours);
  const bool they = theirs->front().index == ours.target;
  ++(we && they ? agreement.both : we ? agreement.only_ours : they ? agreement.only_theirs : agreement.neither);
  if (ours.top.front().index == theirs->front().index) {
    ++agreement.same;
  } else if (agreement.differences.size() < kListedDifferences) {
    agreement.differences.push_back({ours, *theirs});
  }
}

}  // namespace alexnet
