#include "cli/table.h"

#include <algorithm>
#include <numeric>

namespace alexnet::cli {
namespace {

constexpr int kGap = 2;
constexpr int kNarrowest = 8;  // a shrinkable column below that is left out

std::vector<int> widths_of(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows,
                           const Terminal& terminal) {
  std::vector<int> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    int width = columns_of(columns[i].head);
    for (const auto& row : rows) width = std::max(width, columns_of(row[i]));
    widths.push_back(width);
  }
  if (!terminal.present) return widths;
  int excess = std::accumulate(widths.begin(), widths.end(), kGap * (static_cast<int>(widths.size()) - 1)) - terminal.columns;
  for (std::size_t i = columns.size(); i-- > 0 && excess > 0;) {
    if (!columns[i].shrinkable) continue;
    const int before = widths[i];
    widths[i] = before - excess >= kNarrowest ? before - excess : 0;
    excess -= before - widths[i] + (widths[i] == 0 ? kGap : 0);
  }
  return widths;
}

}  // namespace

std::string table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows, const Terminal& terminal) {
  const auto widths = widths_of(columns, rows, terminal);
  std::string text;
  const auto append = [&](const auto& cell_of, Style style) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (widths[i] == 0) continue;
      if (!line.empty()) line.append(kGap, ' ');
      const std::string cell = cut_to(cell_of(i), widths[i], terminal.utf8);
      const std::string padding(static_cast<std::size_t>(widths[i] - columns_of(cell)), ' ');
      line += columns[i].right ? padding + cell : cell + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += styled(line, style, terminal.color) + "\n";
  };
  append([&](std::size_t i) { return columns[i].head; }, Style::bold);
  for (const auto& row : rows) append([&](std::size_t i) { return row[i]; }, Style::plain);
  return text;
}

}  // namespace alexnet::cli
