// What the other end of a descriptor can show.
#pragma once

#include <string>
#include <string_view>

namespace alexnet::cli {

struct Terminal {
  bool present = false;  // it is one; otherwise a file or pipe
  int columns = 80;
  bool color = false;
  bool utf8 = false;  // the locale's encoding
};

// `color` is the value of --color.
Terminal terminal_of(int descriptor, std::string_view color);

// Columns that UTF-8 text takes: one a character, two for wide East Asian characters and emoji, none for combining marks.
int columns_of(std::string_view text);
// The text cut to so many columns, ending in an ellipsis if something was cut.
std::string cut_to(std::string_view text, int columns, bool utf8);

// The text in lines of at most `columns`, broken at blanks; lines after the first begin with `indent` blanks.
std::string wrapped(std::string_view text, int columns, int indent);

enum class Style { plain, bold, dim, green, red };
std::string styled(std::string_view text, Style style, bool color);

}  // namespace alexnet::cli
