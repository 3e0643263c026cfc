#include "formats/label_list.h"

#include <algorithm>
#include <cstddef>
#include <map>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/bytes.h"

namespace alexnet {
namespace {

constexpr std::size_t kMaxBytes = 16u << 20;
constexpr std::size_t kWordNetId = 9;  // n and eight digits

bool has_word_net_id(std::string_view line) {
  if (line.size() <= kWordNetId || line[0] != 'n' || line[kWordNetId] != ' ') return false;
  return std::all_of(line.begin() + 1, line.begin() + kWordNetId, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_control(char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; }

std::vector<std::string_view> lines_of(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && trim(lines.back()).empty()) lines.pop_back();
  return lines;
}

}  // namespace

std::vector<Label> parse_label_list(std::string_view text, const std::string& where) {
  const auto refuse = [&](std::size_t line, const std::string& message, const std::string& hint = {}) {
    throw Error(ErrorKind::model, where, fmt::format("line {} {}", line + 1, message), hint);
  };
  if (text.size() > kMaxBytes) throw Error(ErrorKind::model, where, fmt::format("has more than {} bytes of labels", kMaxBytes));
  const auto lines = lines_of(text);
  if (lines.empty()) throw Error(ErrorKind::model, where, "has no labels");
  const bool word_net = std::all_of(lines.begin(), lines.end(), has_word_net_id);
  const char separator = word_net ? ' ' : '\t';
  const bool ids = lines[0].find(separator) != std::string_view::npos;
  std::vector<Label> labels;
  std::map<std::string_view, std::size_t> line_of;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = lines[i];
    if (!is_utf8(line)) refuse(i, fmt::format("is not UTF-8: {}", shown(line)));
    if (std::any_of(line.begin(), line.end(), is_control)) refuse(i, fmt::format("has a control character: {}", shown(line)));
    if (trim(line).empty()) refuse(i, "is empty", "each line is the label of one output");
    const auto tab = line.find(separator);
    if ((tab != std::string_view::npos) != ids) {
      refuse(i, fmt::format("{} an id, other than line 1: {}", ids ? "lacks" : "has", shown(line)));
    }
    const auto id = ids ? trim(line.substr(0, tab)) : std::string_view();
    const auto label = ids ? trim(line.substr(tab + 1)) : trim(line);
    if (label.empty() || (ids && id.empty()))
      refuse(i, fmt::format("lacks {}: {}", label.empty() ? "a label" : "an id", shown(line)));
    if (label.find('\t') != std::string_view::npos) refuse(i, fmt::format("has more than two columns: {}", shown(line)));
    const auto [first, inserted] = line_of.emplace(ids ? id : label, i);
    if (!inserted) {
      refuse(i, fmt::format("repeats the {} {} of line {}", ids ? "id" : "label", shown(first->first), first->second + 1),
             ids ? "" : "tell them apart by ids: ID<TAB>LABEL");
    }
    labels.push_back({std::string(id), std::string(label)});
  }
  return labels;
}

std::vector<Label> read_label_list(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return parse_label_list(as_text(file->bytes()), path.string());
}

}  // namespace alexnet
