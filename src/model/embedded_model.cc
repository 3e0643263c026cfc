#include "model/embedded_model.h"

// Defined by the assembler file that cmake/EmbedFile.cmake writes.
extern "C" {
extern const std::byte alexnet_embedded_model_begin[];
extern const std::byte alexnet_embedded_model_end[];
}

namespace alexnet {

std::span<const std::byte> embedded_model() { return {alexnet_embedded_model_begin, alexnet_embedded_model_end}; }

}  // namespace alexnet
