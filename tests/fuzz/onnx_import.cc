// Any bytes as an ONNX model: a model of ours, or an Error.
#include <cstddef>
#include <cstdint>

#include "alexnet/error.h"
#include "import/onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto onnx = alexnet::read_onnx({reinterpret_cast<const std::byte*>(data), size}, nullptr, "input");
    alexnet::import_onnx(onnx, {}, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
