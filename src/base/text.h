// Text that does not depend on the locale.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alexnet {

std::string join(std::span<const std::string> parts, std::string_view separator);
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);

// Whole-text conversions: nothing for text that is not exactly one number.
std::optional<long long> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);

// The shortest text that reads back to the same float.
std::string shortest(float value);
std::string shortest(double value);

bool is_utf8(std::string_view text);
// Each byte that is not part of valid UTF-8 becomes U+FFFD.
std::string to_utf8_lossy(std::string_view text);

// Text from a stranger on one line: control characters and invalid UTF-8 made visible as \xNN.
std::string printable(std::string_view text);
// The same for a message: in single quotes, shortened to about 80 characters.
std::string shown(std::string_view text);

std::string base64(std::string_view bytes);

// The candidate with the smallest edit distance, if it is close enough to be a likely misspelling.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace alexnet
