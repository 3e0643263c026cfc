// UTF-8 to code points and back, the way Python keeps file names: a byte that is not part of valid UTF-8 is the lone
// surrogate U+DC00 + byte (PEP 383).
#pragma once

#include <string>
#include <string_view>

namespace alexnet {

// The code point at the front of the text, which must not be empty, removed from it.
char32_t take_code_point(std::string_view& text);
// False, and nothing appended, for what is neither a character nor a byte kept as a surrogate.
bool append_code_point(std::string& text, char32_t point);

}  // namespace alexnet
