// ZCA whitening: the symmetric linear map that gives data the identity as covariance (Bell and Sejnowski 1997).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace alexnet {

// Mean and covariance of samples of `size` values, in one stable pass.
class Covariance {
 public:
  // Throws Error of kind usage for a size beyond 4096, whose matrix takes 128 MiB.
  explicit Covariance(std::int64_t size);

  void add(std::span<const float> sample);
  // Also those that `other` has seen. The order of merging is seen in the last bits.
  void merge(const Covariance& other);

  std::int64_t size() const { return static_cast<std::int64_t>(mean_.size()); }
  std::int64_t count() const { return count_; }
  const std::vector<double>& mean() const { return mean_; }
  // Of the population, size x size, row-major.
  std::vector<double> covariance() const;

 private:
  std::int64_t count_ = 0;
  std::vector<double> mean_;
  std::vector<double> products_;  // sums of products of deviations, row-major
  std::vector<double> apart_;     // scratch
};

// W = E (D + epsilon)^-1/2 E^T for the covariance E D E^T, and the mean that is subtracted first.
struct Whitening {
  Tensor matrix;  // F32 (size, size), symmetric
  Tensor mean;    // F32 (size)
};
// Throws Error of kind model for fewer than two samples, and for an epsilon that leaves an eigenvalue below zero.
Whitening zca(const Covariance& covariance, double epsilon);

// y = W (x - mean) for maps (channels, height, width): pixel by pixel if the matrix has as many rows as there are channels,
// else for the whole picture. Throws Error of kind model if it has neither. x and y may be the same.
void whiten(const Whitening& whitening, const Shape& maps, std::span<const float> x, std::span<float> y);

}  // namespace alexnet
