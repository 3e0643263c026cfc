#pragma once

#include <string>

namespace alexnet::cli {

// What --version prints: version, build, libraries, embedded model.
std::string version_text();

}  // namespace alexnet::cli
