// The default model, carried inside the library and the binary.
#pragma once

#include <cstddef>
#include <span>

namespace alexnet {

// The bytes of models/alexnet-tiny200.safetensors, aligned to 64 bytes; they live as long as the process.
std::span<const std::byte> embedded_model();

}  // namespace alexnet
