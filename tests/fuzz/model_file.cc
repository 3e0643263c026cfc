// Any bytes as a model file: a model or an Error.
#include <cstddef>
#include <cstdint>
#include <span>

#include "alexnet/error.h"
#include "model/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    alexnet::read_model(bytes, nullptr, "input");
  } catch (const alexnet::Error&) {
  }
  return 0;
}
