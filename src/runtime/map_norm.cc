#include "runtime/map_norm.h"

#include <algorithm>
#include <cmath>

namespace alexnet {
namespace {

class Maps {
 public:
  Maps(const MapNorm& norm, const MapKernels& kernels, const StepMemory& at)
      : norm_(norm),
        kernels_(kernels),
        source_(reinterpret_cast<const float*>(at.sources[0])),
        destination_(reinterpret_cast<float*>(at.destination)) {}

  void moments(std::int64_t map, std::span<Moments> of) const { kernels_.moments(source_ + map * norm_.pixels, norm_.pixels, of); }

  MapAffine affine(std::int64_t of_channel, const MeanVariance& with) const {
    const auto channel = static_cast<std::size_t>(of_channel);
    const double scale = static_cast<double>(norm_.scale[channel]) / std::sqrt(with.variance + norm_.epsilon);
    const auto mean = static_cast<float>(with.mean);
    return {.mean = mean,
            .mean_rest = static_cast<float>(with.mean - static_cast<double>(mean)),
            .scale = static_cast<float>(scale),
            .offset = norm_.offset[channel]};
  }

  void normalise(std::int64_t map, std::span<const MapAffine> with) const {
    kernels_.affine(source_ + map * norm_.pixels, destination_ + map * norm_.pixels, norm_.pixels, with);
  }

 private:
  const MapNorm& norm_;
  const MapKernels& kernels_;
  const float* source_;
  float* destination_;
};

}  // namespace

std::uint64_t map_norm_scratch_bytes(const MapNorm& norm) {
  return norm.mix ? static_cast<std::uint64_t>(norm.channels) * (sizeof(Moments) + sizeof(MeanVariance)) : 0;
}

void run(const MapNorm& norm, const MapKernels& kernels, std::int64_t samples, const StepMemory& at) {
  const Maps maps(norm, kernels, at);
  const auto count = norm.pixels == 0 ? 0 : samples * at.rows * norm.channels;
  if (!norm.mix) {
    each_by_its_own(
        count, norm.pixels, [&](std::int64_t map, std::span<Moments> of) { maps.moments(map, of); },
        [&](std::int64_t map, std::span<const Moments> of, std::span<MapAffine> with) {
          auto channel = map % norm.channels;  // one division for all of them, which takes as long as several roots
          for (std::size_t i = 0; i < of.size(); ++i) {
            with[i] = maps.affine(channel, {of[i].mean, of[i].variance()});
            if (++channel == norm.channels) channel = 0;
          }
        },
        [&](std::int64_t map, std::span<const MapAffine> with) { maps.normalise(map, with); });
    return;
  }
  auto* const moments = reinterpret_cast<Moments*>(at.scratch);
  auto* const with = reinterpret_cast<MeanVariance*>(at.scratch + static_cast<std::size_t>(count) * sizeof(Moments));
  const auto together = norm.together == 0 ? std::max<std::int64_t>(count, 1) : norm.together;
#pragma omp parallel for schedule(static)
  for (std::int64_t map = 0; map < count; ++map) maps.moments(map, std::span(moments + map, 1));
  for (std::int64_t first = 0; first < count; first += together) {
    const auto size = static_cast<std::size_t>(together);
    norm.mix(std::span<const Moments>(moments + first, size), std::span(with + first, size));
  }
#pragma omp parallel for schedule(static)
  for (std::int64_t map = 0; map < count; ++map) {
    const MapAffine affine = maps.affine(map % norm.channels, with[map]);
    maps.normalise(map, std::span(&affine, 1));
  }
}

}  // namespace alexnet
