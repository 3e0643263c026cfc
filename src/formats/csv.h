// Comma-separated values, as RFC 4180 has them: fields in double quotes where they hold commas, quotes (doubled) or line ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace alexnet {

// Reads one row after the other from text that outlives it. Lines end in LF or CRLF; a byte order mark and empty lines are
// passed over.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string where);

  // False at the end. Throws Error of kind model, naming the line, for a quote that is not closed, and for text before or
  // behind a field in quotes.
  bool next(std::vector<std::string>& fields);
  // Where the row that next() gave begins, from 1.
  std::size_t line() const { return row_line_; }

 private:
  std::string quoted_field();
  std::string plain_field();
  [[noreturn]] void refuse(std::size_t line, const std::string& message) const;

  std::string_view rest_;
  std::string where_;
  std::size_t line_ = 1;
  std::size_t row_line_ = 0;
};

}  // namespace alexnet
