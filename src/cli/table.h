// Columns of text.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace alexnet::cli {

struct Column {
  std::string head;
  bool right = false;       // numbers
  bool shrinkable = false;  // may be cut, or left out, where the terminal is too narrow
};

// Two blanks between columns; the heads first.
std::string table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows, const Terminal& terminal);

}  // namespace alexnet::cli
