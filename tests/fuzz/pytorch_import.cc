// Any bytes as a checkpoint of PyTorch: a model whose parts fit together, or an Error.
#include <cstddef>
#include <cstdint>

#include "alexnet/error.h"
#include "import/pytorch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto checkpoint = alexnet::read_pytorch({reinterpret_cast<const std::byte*>(data), size}, nullptr, "input");
    alexnet::import_pytorch(checkpoint, {});
  } catch (const alexnet::Error&) {
  }
  return 0;
}
