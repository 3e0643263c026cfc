#include "cli/records.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/csv_text.h"
#include "cli/json_text.h"

namespace alexnet::cli {
namespace {

constexpr int kWidestBar = 24;
constexpr int kNarrowestBar = 6;   // a narrower one says nothing
constexpr int kFixedColumns = 13;  // "  71.0 %  " and the two blanks behind the bar

// A bar of eighths of a column where the locale can show them.
std::string bar(double part, int columns, bool utf8) {
  const double length = std::isfinite(part) ? std::clamp(part, 0.0, 1.0) * columns : 0;
  std::string result;
  int used = 0;
  if (utf8) {
    const int eighths = static_cast<int>(std::lround(length * 8));
    used = (eighths + 7) / 8;
    for (int i = 0; i < eighths / 8; ++i) result += "\xe2\x96\x88";
    // U+258F is one eighth, U+2589 seven.
    if (eighths % 8 != 0) result += fmt::format("\xe2\x96{}", static_cast<char>(0x90 - eighths % 8));
  } else {
    used = static_cast<int>(std::lround(length));
    result.assign(static_cast<std::size_t>(used), '#');
  }
  return result + std::string(static_cast<std::size_t>(columns - used), ' ');
}

std::string floats(std::span<const float> values, std::string_view separator, auto&& spelled) {
  std::string result;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) result += separator;
    result += spelled(values[i]);
  }
  return result;
}

std::string plain(float value) { return shortest(value); }

}  // namespace

RecordFormat record_format(const std::string& name) {
  return name == "json"    ? RecordFormat::json
         : name == "jsonl" ? RecordFormat::jsonl
         : name == "csv"   ? RecordFormat::csv
                           : RecordFormat::text;
}

RecordText::RecordText(RecordFormat format, const std::vector<Label>& labels, const Terminal& terminal, bool logits)
    : format_(format), labels_(labels), terminal_(terminal), logits_(logits) {}

std::string RecordText::head() const {
  if (format_ == RecordFormat::json) return "[";
  if (format_ != RecordFormat::csv) return "";
  return fmt::format("path,rank,index,id,label,probability,width,height,{}error,message,path_base64\n", logits_ ? "logits," : "");
}

std::string RecordText::tail() const {
  if (format_ != RecordFormat::json) return "";
  return first_ ? "]\n" : "\n]\n";
}

std::string RecordText::record(const Classification& record) {
  switch (format_) {
    case RecordFormat::text: {
      if (record.error) return "";
      const std::string gap = first_ ? "" : "\n";
      first_ = false;
      return gap + text(record);
    }
    case RecordFormat::json:
    case RecordFormat::jsonl: return raw(json(record));
    case RecordFormat::csv: return csv(record);
  }
  return "";
}

std::string RecordText::raw(std::string_view json) {
  if (format_ == RecordFormat::jsonl) return fmt::format("{}\n", json);
  const char* separator = first_ ? "\n" : ",\n";
  first_ = false;
  return fmt::format("{}{}", separator, json);
}

Label RecordText::label(std::int64_t index) const {
  const auto at = static_cast<std::size_t>(index);
  return at < labels_.size() ? labels_[at] : Label{};
}

std::string RecordText::text(const Classification& record) const {
  std::string result = styled(printable(record.path), Style::bold, terminal_.color) + "\n";
  int columns = kWidestBar;
  if (terminal_.present) columns = std::min(columns, (terminal_.columns - kFixedColumns) / 3);
  if (columns < kNarrowestBar) columns = 0;
  const int room = terminal_.columns - kFixedColumns - columns + (columns == 0 ? 2 : 0);
  for (const auto& [index, probability] : record.top) {
    const Label known = label(index);
    std::string name = printable(known.label.empty() ? known.id : known.label);
    if (name.empty()) name = fmt::format("class {}", index);
    if (terminal_.present) name = cut_to(name, std::max(room, 8), terminal_.utf8);
    result += fmt::format("  {:5.1f} %  ", 100 * probability);
    if (columns > 0) result += styled(bar(probability, columns, terminal_.utf8), Style::green, terminal_.color) + "  ";
    result += name + "\n";
  }
  if (logits_) result += "  logits: " + floats(record.logits, " ", plain) + "\n";
  return result;
}

std::string RecordText::json(const Classification& record) const {
  std::string result = fmt::format("{{{}", json_path(record.path));
  if (record.error) {
    return fmt::format("{}, {}}}", result, json_error(*record.error));
  }
  result += ", \"top\": [";
  for (std::size_t i = 0; i < record.top.size(); ++i) {
    const auto& [index, probability] = record.top[i];
    const Label known = label(index);
    result += fmt::format("{}{{\"index\": {}, \"id\": {}, \"label\": {}, \"probability\": {}}}", i == 0 ? "" : ", ", index,
                          json_text(known.id), json_text(known.label), json_number(static_cast<float>(probability)));
  }
  result += fmt::format("], \"width\": {}, \"height\": {}", record.width, record.height);
  if (record.target) result += fmt::format(", \"target\": {}", *record.target);
  if (logits_) result += fmt::format(", \"logits\": [{}]", floats(record.logits, ", ", json_number));
  return result + "}";
}

std::string RecordText::csv(const Classification& record) const {
  const std::string path = csv_text(record.path);
  const std::string path_base64 = is_utf8(record.path) ? "" : base64(record.path);
  if (record.error) {
    return fmt::format("{},,,,,,,,{}{},{},{}\n", path, logits_ ? "," : "", name(record.error->kind()),
                       csv_text(message_of(*record.error)), path_base64);
  }
  std::string result;
  for (std::size_t i = 0; i < record.top.size(); ++i) {
    const auto& [index, probability] = record.top[i];
    const Label known = label(index);
    result += fmt::format("{},{},{},{},{},{},{},{},", path, i + 1, index, csv_text(known.id), csv_text(known.label),
                          plain(static_cast<float>(probability)), record.width, record.height);
    if (logits_) result += (i == 0 ? floats(record.logits, " ", plain) : "") + ",";
    result += fmt::format(",,{}\n", path_base64);
  }
  return result;
}

}  // namespace alexnet::cli
