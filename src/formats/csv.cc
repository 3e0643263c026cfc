#include "formats/csv.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {

CsvReader::CsvReader(std::string_view text, std::string where) : rest_(text), where_(std::move(where)) {
  if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
}

void CsvReader::refuse(std::size_t line, const std::string& message) const {
  throw Error(ErrorKind::model, where_, fmt::format("line {} {}", line, message), "fields are as RFC 4180 says");
}

std::string CsvReader::quoted_field() {
  const std::size_t begin = line_;
  std::string field;
  for (rest_.remove_prefix(1);;) {
    const auto quote = rest_.find('"');
    if (quote == std::string_view::npos) refuse(begin, "has a quote that is not closed");
    field += rest_.substr(0, quote);
    rest_.remove_prefix(quote + 1);
    if (!rest_.starts_with('"')) break;
    field += '"';
    rest_.remove_prefix(1);
  }
  line_ += static_cast<std::size_t>(std::ranges::count(field, '\n'));
  if (!rest_.empty() && !rest_.starts_with(',') && !rest_.starts_with('\n') && !rest_.starts_with("\r\n")) {
    refuse(line_, "has text behind a closing quote");
  }
  return field;
}

std::string CsvReader::plain_field() {
  auto field = rest_.substr(0, std::min(rest_.find_first_of(",\n"), rest_.size()));
  rest_.remove_prefix(field.size());
  const bool at_line_end = !rest_.starts_with(',');
  if (at_line_end && field.ends_with('\r')) field.remove_suffix(1);
  if (field.find('"') != std::string_view::npos) refuse(line_, "has a quote inside a field without quotes");
  return std::string(field);
}

bool CsvReader::next(std::vector<std::string>& fields) {
  for (;; ++line_) {
    if (rest_.starts_with("\r\n")) {
      rest_.remove_prefix(2);
    } else if (rest_.starts_with('\n')) {
      rest_.remove_prefix(1);
    } else {
      break;
    }
  }
  fields.clear();
  if (rest_.empty()) return false;
  row_line_ = line_;
  for (;;) {
    fields.push_back(rest_.starts_with('"') ? quoted_field() : plain_field());
    if (!rest_.starts_with(',')) break;
    rest_.remove_prefix(1);
  }
  if (rest_.starts_with('\r')) rest_.remove_prefix(1);
  if (rest_.starts_with('\n')) {
    rest_.remove_prefix(1);
    ++line_;
  }
  return true;
}

}  // namespace alexnet
