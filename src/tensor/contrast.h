// Contrast normalisation of maps (channels, height, width), as layers and preprocessing steps share it.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/shape.h"

namespace alexnet {

// The weights of an element's neighbours: a Gaussian of this standard deviation, in pixels, over a square of `size` x `size`
// pixels around it in the same channel, or in all channels alike. They add up to 1, also at borders, where the absent
// neighbours' weight goes to the others in proportion. `size` is odd.
struct Neighbourhood {
  std::int64_t size = 9;
  double sigma = 2;
  bool across_channels = false;
};

// Throws Error of kind model for a size that is even, less than 1 or beyond 2^16, and for a sigma that is not positive.
void check(const Neighbourhood& neighbourhood);

// y = x - weighted mean of x. `maps` has rank 3; x and y may be the same.
void subtract_local_mean(const Neighbourhood& neighbourhood, const Shape& maps, std::span<const float> x, std::span<float> y);

// v = x - weighted mean of x; y = v / max(sigma, mean of sigma over the map, epsilon), sigma = sqrt(weighted mean of v * v)
// (Jarrett et al. 2009, section 2). An epsilon of 0 gives 0 / 0 where all is constant.
void normalise_local_contrast(const Neighbourhood& neighbourhood, double epsilon, const Shape& maps, std::span<const float> x,
                              std::span<float> y);

// y = scale * (x - mean) / max(epsilon, sqrt(lambda + mean of (x - mean)^2)) over all elements.
struct GlobalContrast {
  double scale = 1;
  double lambda = 0;
  double epsilon = 1e-8;
};
void normalise_global_contrast(const GlobalContrast& parameters, std::span<const float> x, std::span<float> y);

}  // namespace alexnet
