// tests/golden/image, made by tools/make_image_golden.py from Pillow and torchvision.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "tests/support.h"

namespace alexnet::test {

inline Json golden(const std::string& file, const char* key) {
  const auto bytes = read_file(source_path("tests/golden/image/" + file));
  return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file).at(key);
}

inline std::vector<std::byte> golden_file(const std::string& name) { return read_file(source_path("tests/golden/image/" + name)); }

}  // namespace alexnet::test
