// Where in the arena a program's tensors and scratch lie.
#pragma once

#include "runtime/lower.h"

namespace alexnet {

// Fills in all offsets, and the plan's steps. What crosses from the slices to the rows lives through all slices of a block. Throws
// Error of kind resources for more bytes than can be counted.
void place(Program& program);

}  // namespace alexnet
