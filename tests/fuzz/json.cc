// Any bytes as JSON: a value or an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    alexnet::parse_json({reinterpret_cast<const char*>(data), size}, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
