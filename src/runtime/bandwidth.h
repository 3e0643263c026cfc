#pragma once

#include <cstdint>

namespace alexnet {

// Bytes a second at which all threads (those of the ThreadScope) together read a buffer of so many bytes again and again, each
// its own part: the speed of the cache, or of the memory, that the buffer fits into.
double read_bandwidth(std::uint64_t bytes);

}  // namespace alexnet
