// Any bytes as a checkpoint of PyTorch, zip or legacy: entries with tensors, or an Error.
#include <cstddef>
#include <cstdint>

#include "alexnet/error.h"
#include "formats/pytorch.h"

namespace {

// One entry's tensors may be refused, another's read.
void read_tensors(const alexnet::PytorchCheckpoint& checkpoint, const alexnet::PytorchEntry& entry) {
  try {
    alexnet::tensors_of(checkpoint, entry);
  } catch (const alexnet::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto checkpoint = alexnet::read_pytorch({reinterpret_cast<const std::byte*>(data), size}, nullptr, "input");
    for (const auto& entry : checkpoint.entries) {
      alexnet::modules_of(checkpoint, entry);
      read_tensors(checkpoint, entry);
    }
  } catch (const alexnet::Error&) {
  }
  return 0;
}
