// Filter response normalisation of row-major maps (Singh and Krishnan 2020).
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/instruction_set.h"

namespace alexnet {

// Of each channel. The first two are read a vector at a time: behind the last channel there are kRoom values more.
struct FilterResponse {
  static constexpr std::int64_t kRoom = 16;

  std::vector<double> epsilon;  // not below 0
  std::vector<double> scale;
  std::vector<float> offset;
  std::vector<float> least;  // minus infinity: no bound
};

// y = max(x / sqrt(mean of the map's squares + epsilon) * scale + offset, least) of `samples` times `channels` maps of `pixels`
// each, at least 1 pixel. NaN stays NaN. Squares are summed in f32, 4096 and less than a vector of them, and those sums in double.
// Opens one parallel region. The bits depend neither on the threads nor on a map's place.
using FilterResponseKernel = void (*)(const FilterResponse& of, const float* source, float* destination, std::int64_t samples,
                                      std::int64_t channels, std::int64_t pixels);
FilterResponseKernel filter_response_kernel(SimdLevel level);

}  // namespace alexnet
