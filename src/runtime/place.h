// Where in the arena a program's tensors and scratch lie.
#pragma once

#include "runtime/lower.h"

namespace alexnet {

// Fills in all offsets, and the plan's steps. What crosses from the slices to the rows lives through all slices of a block. If the
// batch runs as a whole, everything is planned for one sample, and scratch of single rows lies in front, shared. Throws Error of
// kind resources for more bytes than can be counted.
void place(Program& program);

}  // namespace alexnet
