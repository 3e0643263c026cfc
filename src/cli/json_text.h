// JSON as it is printed: one line a value, a blank behind colons and commas, numbers that do not depend on the locale and read
// back to the same float.
#pragma once

#include <string>
#include <string_view>

#include "alexnet/error.h"

namespace alexnet::cli {

// In double quotes; what is not UTF-8 becomes U+FFFD.
std::string json_text(std::string_view text);
// NaN and infinities, which JSON does not have, are null.
std::string json_number(float value);

// `"path": "..."`, and `, "path_base64": "..."` with the true bytes behind it if they are not UTF-8.
std::string json_path(std::string_view path);

// An error's message with its hint, on one line; without the place, which a record's path says.
std::string message_of(const Error& error);
// `"error": {"kind": "...", "message": "..."}`
std::string json_error(const Error& error);

}  // namespace alexnet::cli
