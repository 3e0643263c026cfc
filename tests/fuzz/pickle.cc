// Any bytes as a pickle: values or an Error.
#include <cstddef>
#include <cstdint>

#include "alexnet/error.h"
#include "formats/pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    alexnet::read_pickle({reinterpret_cast<const std::byte*>(data), size}, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
