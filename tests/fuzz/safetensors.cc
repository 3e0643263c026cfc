// Any bytes as a safetensors file: tensors or an Error.
#include <cstddef>
#include <cstdint>

#include "alexnet/error.h"
#include "formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    alexnet::read_safetensors({reinterpret_cast<const std::byte*>(data), size}, nullptr, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
