// Any bytes as an archive of arrays: tensors or an Error. It covers the zip reader; checksums keep most changes from npy.cc.
#include <cstddef>
#include <cstdint>

#include "alexnet/error.h"
#include "formats/npz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    alexnet::read_npz({reinterpret_cast<const std::byte*>(data), size}, nullptr, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
