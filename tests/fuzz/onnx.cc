// Any bytes as an ONNX model: its records or an Error.
#include <cstddef>
#include <cstdint>
#include <span>

#include "alexnet/error.h"
#include "formats/onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    alexnet::read_onnx(bytes, nullptr, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
