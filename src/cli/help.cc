#include "cli/help.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/terminal.h"

namespace alexnet::cli {
namespace {

constexpr int kHelpColumn = 28;  // where the explanations begin on a wide terminal
constexpr int kNarrow = 60;      // below, they stand under what they explain

// Indented lines are examples and stay as they are.
std::string paragraphs(std::string_view text, int columns) {
  std::string result;
  for (const auto& line : split(text, '\n')) result += (line.starts_with(' ') ? line : wrapped(line, columns, 0)) + "\n";
  return result;
}

std::string two_columns(const std::string& left, const std::string& right, int columns, int at) {
  if (columns < kNarrow) return fmt::format("  {}\n      {}\n", left, wrapped(right, columns, 6));
  const std::string text = wrapped(right, columns, at);
  if (columns_of(left) + 4 > at) return fmt::format("  {}\n{:{}}{}\n", left, "", at, text);
  return fmt::format("  {:{}}{}\n", left, at - 2, text);
}

std::string table(std::span<const Option> options, int columns) {
  std::string text;
  for (const Option& option : options) {
    const std::string spelling = option.letter == 0 ? "    " + spelled(option, false) : spelled(option, true);
    text += two_columns(spelling, explained(option), columns, kHelpColumn);
  }
  return text;
}

}  // namespace

std::string usage_line(const Verb& verb) {
  return fmt::format("alexnet {} [OPTION]...{}{}", verb.name, verb.operands.empty() ? "" : " ", verb.operands);
}

std::string explained(const Option& option) {
  return option.fallback.empty() ? std::string(option.help) : fmt::format("{} (default: {})", option.help, option.fallback);
}

std::string overview(int columns) {
  std::string text = "Usage: alexnet VERB [OPTION]... [ARGUMENT]...\n\n";
  text += paragraphs("Runs AlexNet and its relatives on photographs. Verbs:", columns) + "\n";
  for (const Verb& verb : verbs()) text += two_columns(std::string(verb.name), std::string(verb.summary), columns, 15);
  text +=
      "\n" + paragraphs("alexnet VERB --help explains a verb and its options; alexnet --version says what this build is made of.",
                        columns);
  text += "\nTry:\n  alexnet classify photo.jpg\n";
  return text;
}

std::string help(const Verb& verb, int columns) {
  auto options = options_of(verb.name);
  const auto common = std::stable_partition(options.begin(), options.end(), [](const Option& o) { return o.verbs != "*"; });
  std::string text = fmt::format("Usage: {}\n\n", usage_line(verb)) + paragraphs(verb.description, columns);
  if (common != options.begin()) text += "\nOptions:\n" + table({options.begin(), common}, columns);
  return text + "\nOptions of every verb:\n" + table({common, options.end()}, columns);
}

}  // namespace alexnet::cli
