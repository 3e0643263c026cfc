// JSON as one type for the whole project: nlohmann's, with keys in the order they were written.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace alexnet {

using Json = nlohmann::ordered_json;

// Parses one JSON text from a stranger: duplicate keys, nesting beyond 64 levels, trailing bytes, more than 10,000
// keys in one object and more than a million values in all (which bound time and memory) are errors.
// Throws Error of kind model; `where` names the file and place.
Json parse_json(std::string_view text, const std::string& where);

}  // namespace alexnet
