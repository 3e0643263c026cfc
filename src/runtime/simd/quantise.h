// From f32 to u8, in the form that int8 convolutions and linear layers read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/instruction_set.h"
#include "runtime/quantisation.h"

namespace alexnet {

// What stands around the source, and what is left of the last blocks, holds zeros: the number that stands for them.
struct QuantiseArguments {
  const float* source = nullptr;        // channels x height x width
  std::uint8_t* destination = nullptr;  // rows x columns x (block x block x channels)
  std::byte* scratch = nullptr;         // quantise_scratch_bytes()
  std::int64_t channels = 1;
  std::int64_t height = 1;
  std::int64_t width = 0;
  std::int64_t top = 0;   // rows of zeros above the source
  std::int64_t left = 0;  // columns of zeros before it
  std::int64_t rows = 1;  // of blocks
  std::int64_t columns = 0;
  std::int64_t block = 1;
  Quantisation as;
};

// q = zero + x / scale, rounded to nearest even, from 0 to `most`; NaN becomes 0. Opens one parallel region.
using QuantiseKernel = void (*)(const QuantiseArguments&);
QuantiseKernel quantise_kernel(SimdLevel level);

// `length`: columns x block.
std::uint64_t quantise_scratch_bytes(std::int64_t channels, std::int64_t length, int threads);

}  // namespace alexnet
