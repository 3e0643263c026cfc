#pragma once

#include <string_view>

namespace alexnet {

// Whether this function or class is on the list of those that a checkpoint's pickle may name in a call. Being on it
// means that the call is kept as a node; nothing is called.
bool may_call(std::string_view module, std::string_view name);

}  // namespace alexnet
