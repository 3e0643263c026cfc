// Statistics of maps, and what normalisations make of a map by them.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/instruction_set.h"
#include "tensor/moments.h"

namespace alexnet {

// y = ((x - mean) - mean_rest) * scale + offset. The mean is held as a sum of two, so that maps far from zero keep
// their digits.
struct MapAffine {
  float mean = 0;
  float mean_rest = 0;
  float scale = 1;
  float offset = 0;
};

// None of them opens a parallel region. `count` is at least 1. The first two take several maps that follow each other, so that
// one need not wait for the other's sum across lanes.
struct MapKernels {
  // In two passes of f32 sums of 4096 values at most, which are added up in double. Exact for equal values.
  void (*moments)(const float* source, std::int64_t count, std::span<Moments> maps);
  void (*affine)(const float* source, float* destination, std::int64_t count, std::span<const MapAffine> maps);
  // y = ((x - mean) - mean_rest) * affine.scale * scale[i] + offset[i]; either array may be null.
  void (*elementwise)(const float* source, float* destination, std::int64_t count, const MapAffine& affine, const float* scale,
                      const float* offset);
};
MapKernels map_kernels(SimdLevel level);

}  // namespace alexnet
