// Fully connected layers, each sum in one fixed order: the bits of a row depend neither on the other rows nor on the threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/instruction_set.h"
#include "tensor/element_type.h"

namespace alexnet {

struct LinearArguments {
  const float* source = nullptr;               // rows x in
  const std::byte* weight = nullptr;           // out x in, as model files hold it: no copy is made
  ElementType weight_type = ElementType::f32;  // or f16 or bf16, which are widened in registers
  const float* bias = nullptr;                 // out; may be null
  float* destination = nullptr;                // rows x out
  std::byte* scratch = nullptr;                // linear_scratch_bytes()
  std::int64_t rows = 0;
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool relu = false;
};

// destination = source * weight^T + bias. Element i of a sum goes to lane i % lanes, lanes are added up pairwise at the end: the
// same bits for weights of any type as for their widened copy. Opens one parallel region.
using LinearKernel = void (*)(const LinearArguments&);
LinearKernel linear_kernel(SimdLevel level);

std::uint64_t linear_scratch_bytes(std::int64_t rows, int threads);

}  // namespace alexnet
