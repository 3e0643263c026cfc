// Where in the arena a program's tensors and scratch lie.
#pragma once

#include <cstdint>

#include "runtime/lower.h"

namespace alexnet {

// Fills in all offsets, and the plan's steps. What crosses from the slices to the rows lives through all slices of a block. If the
// batch runs as a whole, everything is planned for one sample, and scratch of single rows lies in front, shared. As many slices at
// once as threads gain by, if `max_memory` bytes hold their tensors and the weights. Throws Error of kind resources for more bytes
// than can be counted.
void place(Program& program, std::uint64_t max_memory);

}  // namespace alexnet
