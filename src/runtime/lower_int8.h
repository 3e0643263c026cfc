// Layers in int8: each function adds the steps of the node that `at` is at if int8 is asked for and can compute it; else it returns
// false and has added nothing.
#pragma once

#include "runtime/program_builder.h"

namespace alexnet {

bool lower_int8_convolution(ProgramBuilder& at, const Convolution& layer);
bool lower_int8_linear(ProgramBuilder& at, const Linear& layer);
bool lower_int8_lrn(ProgramBuilder& at, const Lrn& layer);

}  // namespace alexnet
