// Any bytes as protocol buffer text: a tree or an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alexnet/error.h"
#include "formats/prototxt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    alexnet::parse_prototxt({reinterpret_cast<const char*>(data), size}, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
