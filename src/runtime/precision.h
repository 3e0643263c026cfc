// Which precision a network is compiled for.
#pragma once

#include <string>
#include <string_view>

#include "runtime/instruction_set.h"
#include "runtime/network.h"

namespace alexnet {

std::string_view name(Precision precision);  // "int8"; "auto" for automatic

struct ChosenPrecision {
  Precision precision = Precision::f32;  // never automatic
  std::string note;                      // why it is not what was asked for; empty otherwise
};

// The model must have passed check(). `emulate`: bf16 also where the processor has no instructions for it and is slower with it.
ChosenPrecision chosen_precision(const Model& model, Precision asked, const InstructionSet& instructions, bool emulate);

}  // namespace alexnet
