// Pages for a browser: one file, without scripts and without anything from elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "image/image.h"

namespace alexnet::cli {

// Text as it stands between tags or in a quoted attribute, whatever it holds: what is not UTF-8, and control characters, are
// made visible.
std::string escaped(std::string_view text);

// A whole document around `body`. Titles are plain text.
std::string page(std::string_view title, std::string_view subtitle, std::string_view body);
// A part of the page with a heading; `lead` (markup) explains what is to be seen.
std::string section(std::string_view title, std::string_view lead, std::string_view body);
// A caption (plain text) above the markup of a plot or picture.
std::string figure(std::string_view caption, std::string_view body);
// A figure that matters: its name, itself, and what is to be known of it, in plain text.
std::string tile(std::string_view name, std::string_view value, std::string_view note);

struct HtmlColumn {
  std::string head;
  bool right = false;  // numbers
};
// Cells are markup.
std::string html_table(const std::vector<HtmlColumn>& columns, const std::vector<std::vector<std::string>>& rows);

// The picture as the value of a src attribute, shrunk to fit `side` pixels.
std::string picture_uri(const Image& picture, int side);

}  // namespace alexnet::cli
