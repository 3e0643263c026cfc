#include "tests/support.h"

namespace alexnet::test {

std::filesystem::path source_path(const std::string& relative) { return std::filesystem::path(ALEXNET_SOURCE_DIR) / relative; }

}  // namespace alexnet::test
