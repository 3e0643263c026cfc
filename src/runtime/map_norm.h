// Normalisation of maps: their moments, what a layer makes of them, and y = (x - mean) / deviation * scale + offset.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/kernel.h"
#include "runtime/simd/maps.h"

namespace alexnet {

// With what a map is normalised.
struct MeanVariance {
  double mean = 0;
  double variance = 0;
};

struct MapNorm {
  std::int64_t channels = 0;
  std::int64_t pixels = 0;  // of a map
  bool moments = true;      // false: of the squares alone; the mean is 0, and the variance the mean square
  // Neighbouring maps that are normalised together: 1, those of a group, of a sample; 0: of the whole batch. `mix` gets the moments
  // of such maps and says with what each is normalised. Without it each map has its own.
  std::int64_t together = 1;
  std::function<void(std::span<const Moments> maps, std::span<MeanVariance> result)> mix = {};
  std::vector<float> scale = {};  // of each channel, as all of these
  std::vector<float> offset = {};
  std::vector<float> least = {};
  std::vector<double> epsilon = {};
};

// For each map of a sample.
std::uint64_t map_norm_scratch_bytes(const MapNorm& norm);

// Normalises at.rows samples of `samples` each. The bits do not depend on the threads.
void run(const MapNorm& norm, const MapKernels& kernels, std::int64_t samples, const StepMemory& at);

}  // namespace alexnet
