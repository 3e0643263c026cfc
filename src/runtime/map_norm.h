// Normalisation of maps: their moments, what a layer makes of them, and y = (x - mean) / deviation * scale + offset.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
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
  // Neighbouring maps that are normalised together: 1, those of a group, of a sample; 0: of the whole batch. `mix` gets the moments
  // of such maps and says with what each is normalised. Without it each map has its own.
  std::int64_t together = 1;
  std::function<void(std::span<const Moments> maps, std::span<MeanVariance> result)> mix = {};
  std::vector<float> scale = {};  // of each channel
  std::vector<float> offset = {};
  double epsilon = 0;
};

// Normalises `count` sets of `values` each by their own statistics: moments(first, of), affine(first, of, with) and
// normalise(first, with) for a few that stay in the L1 cache from step to step, so that the sum, the root and the quotient of one
// do not hold up the next.
void each_by_its_own(std::int64_t count, std::int64_t values, const auto& moments, const auto& affine, const auto& normalise) {
  constexpr std::int64_t kMost = 16;
  constexpr std::int64_t kValues = 4096;
  const auto few = std::clamp<std::int64_t>(kValues / std::max<std::int64_t>(values, 1), 1, kMost);
#pragma omp parallel
  {
    std::array<Moments, kMost> of;
    std::array<MapAffine, kMost> with;
#pragma omp for schedule(static)
    for (std::int64_t first = 0; first < count; first += few) {
      const auto together = static_cast<std::size_t>(std::min(few, count - first));
      moments(first, std::span(of).first(together));
      affine(first, std::span<const Moments>(of).first(together), std::span(with).first(together));
      normalise(first, std::span<const MapAffine>(with).first(together));
    }
  }
}

// For each map of a sample.
std::uint64_t map_norm_scratch_bytes(const MapNorm& norm);

// Normalises at.rows samples of `samples` each. The bits do not depend on the threads.
void run(const MapNorm& norm, const MapKernels& kernels, std::int64_t samples, const StepMemory& at);

}  // namespace alexnet
