// Any bytes as a model file: a model whose weights can all be widened, or an Error.
#include <cstddef>
#include <cstdint>
#include <span>

#include "alexnet/error.h"
#include "model/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const auto model = alexnet::read_model(bytes, nullptr, "input");
    for (const auto& [name, weight] : model.weights) alexnet::widened(weight);
  } catch (const alexnet::Error&) {
  }
  return 0;
}
