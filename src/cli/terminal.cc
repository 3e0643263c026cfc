#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>

#include "base/text.h"

namespace alexnet::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view(value);
}

// The encoding that the locale's variables name, without loading a locale (which would change how numbers are written).
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = variable(name);
    if (value.empty()) continue;
    for (const std::string_view spelling : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
      if (value.find(spelling) != std::string_view::npos) return true;
    }
    return false;
  }
  return false;
}

// The character at the front of valid UTF-8 text, which is shortened by it.
std::uint32_t next_character(std::string_view& text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::uint32_t character = length == 1 ? lead : lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < std::min(length, text.size()); ++i)
    character = character << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3f);
  text.remove_prefix(std::min(length, text.size()));
  return character;
}

// The blocks that matter in file names and labels; terminals disagree about the rest anyway.
int columns_of(std::uint32_t character) {
  struct Range {
    std::uint32_t first, last;
  };
  constexpr auto kZero = std::to_array<Range>({{0x300, 0x36f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}});
  constexpr auto kWide = std::to_array<Range>({{0x1100, 0x115f},
                                               {0x2e80, 0xa4cf},
                                               {0xac00, 0xd7a3},
                                               {0xf900, 0xfaff},
                                               {0xfe30, 0xfe6f},
                                               {0xff00, 0xff60},
                                               {0xffe0, 0xffe6},
                                               {0x1f300, 0x1faff},
                                               {0x20000, 0x3fffd}});
  const auto within = [character](const Range& range) { return character >= range.first && character <= range.last; };
  if (std::any_of(kZero.begin(), kZero.end(), within)) return 0;
  return std::any_of(kWide.begin(), kWide.end(), within) ? 2 : 1;
}

}  // namespace

Terminal terminal_of(int descriptor, std::string_view color) {
  Terminal terminal;
  terminal.present = ::isatty(descriptor) == 1;
  terminal.utf8 = locale_is_utf8();
  winsize size{};
  if (terminal.present && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.columns = size.ws_col;
  const bool wanted = terminal.present && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  terminal.color = color == "always" || (color == "auto" && wanted);
  return terminal;
}

int columns_of(std::string_view text) {
  int columns = 0;
  while (!text.empty()) columns += columns_of(next_character(text));
  return columns;
}

std::string cut_to(std::string_view text, int columns, bool utf8) {
  if (columns_of(text) <= columns) return std::string(text);
  const std::string_view ellipsis = utf8 ? "\xe2\x80\xa6" : "...";
  int left = columns - columns_of(ellipsis);
  std::string_view rest = text;
  std::size_t kept = 0;
  while (!rest.empty()) {
    left -= columns_of(next_character(rest));
    if (left < 0) break;
    kept = text.size() - rest.size();
  }
  return fmt::format("{}{}", text.substr(0, kept), ellipsis);
}

std::string wrapped(std::string_view text, int columns, int indent) {
  std::string result;
  int column = indent;
  bool first = true;
  for (const auto& word : split(text, ' ')) {
    const int width = columns_of(word);
    if (!first && column + 1 + width > columns) {
      result += fmt::format("\n{:{}}", "", indent);
      column = indent;
      first = true;
    }
    if (!first) {
      result += ' ';
      ++column;
    }
    result += word;
    column += width;
    first = false;
  }
  return result;
}

std::string styled(std::string_view text, Style style, bool color) {
  if (!color || style == Style::plain) return std::string(text);
  constexpr std::array<int, 5> kCodes = {0, 1, 2, 32, 31};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(style)], text);
}

}  // namespace alexnet::cli
