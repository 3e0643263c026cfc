// Any bytes as an array of NumPy: a tensor, text or an Error.
#include <cstddef>
#include <cstdint>

#include "alexnet/error.h"
#include "formats/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
    if (alexnet::read_npy_header(bytes, "input").type) {
      alexnet::read_npy(bytes, nullptr, "input");
    } else {
      alexnet::read_npy_text(bytes, "input");
    }
  } catch (const alexnet::Error&) {
  }
  return 0;
}
