#pragma once

#include <string>
#include <string_view>

namespace alexnet::cli {

// A field of a CSV file (RFC 4180): in quotes where its characters ask for it. What is not UTF-8 becomes U+FFFD.
std::string csv_text(std::string_view text);

}  // namespace alexnet::cli
