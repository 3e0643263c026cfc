#pragma once

#include <string_view>

#include "alexnet/export.h"

namespace alexnet {

// Of the library that runs, "0.1.0".
ALEXNET_API std::string_view version();

}  // namespace alexnet
