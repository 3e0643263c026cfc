#include "tests/support.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace alexnet::test {

std::filesystem::path shared_path(const std::string& relative) { return source_path("../shared") / relative; }

bool shared_data_present() { return std::filesystem::exists(shared_path("data/README.md")); }

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "alexnet-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TemporaryFolder::write(const std::string& name, const std::string& bytes) const {
  const auto file = path_ / name;
  std::ofstream(file, std::ios::binary) << bytes;
  return file;
}

}  // namespace alexnet::test
