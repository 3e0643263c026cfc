// Any bytes as Caffe's weights or mean image: tensors or an Error.
#include <cstddef>
#include <cstdint>
#include <span>

#include "alexnet/error.h"
#include "formats/caffe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    alexnet::read_caffemodel(bytes, nullptr, "input");
  } catch (const alexnet::Error&) {
  }
  try {
    alexnet::read_binaryproto(bytes, nullptr, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
