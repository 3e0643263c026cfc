// Local contrast normalisation and local mean subtraction of row-major maps.
#pragma once

#include <cstdint>

#include "runtime/instruction_set.h"
#include "runtime/simd/maps.h"

namespace alexnet {

// Planes that share their neighbours: one channel, or all of a sample.
struct ContrastArguments {
  const float* source = nullptr;
  float* destination = nullptr;
  float* scratch = nullptr;  // contrast_scratch_bytes()
  std::int64_t groups = 1;
  std::int64_t planes = 1;  // of each group
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t reach = 0;           // of the window to either side, no further than the larger side of the map
  const float* gaussian = nullptr;  // weight by distance, reach + 1 of them
  const float* of_rows = nullptr;   // 1 / the weight that is present around each row
  const float* of_columns = nullptr;
  bool divide = false;  // by the deviation; otherwise the mean is all that is taken away
  float epsilon = 0;
};

// Opens one parallel region. Means are taken of differences to the group's mean, so that maps far from zero keep their digits.
using ContrastKernel = void (*)(const ContrastArguments&, const MapKernels&);
ContrastKernel contrast_kernel(SimdLevel level);

std::uint64_t contrast_scratch_bytes(const ContrastArguments& arguments, int threads);

}  // namespace alexnet
