// What `convert` prints.
#pragma once

#include <string>

#include "cli/terminal.h"
#include "tasks/convert.h"

namespace alexnet::cli {

std::string conversion_text(const Conversion& conversion, const Terminal& terminal);
std::string conversion_json(const Conversion& conversion);

}  // namespace alexnet::cli
