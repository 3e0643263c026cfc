// How far two arrays are apart: what this engine found and what a reference wants.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace alexnet {

// Infinities and NaN count as equal to their like, and as infinitely far from anything else.
struct Difference {
  double largest = 0;                  // of the absolute errors
  double mean = 0;                     // of them
  double relative = 0;                 // largest / the reference's largest magnitude; 0 where nothing differs
  double cosine = 1;                   // of the angle between the two arrays as vectors; 1 if both are zero
  std::vector<std::int64_t> position;  // where the largest error stands (the picture first), and both values there
  double found = 0;
  double wanted = 0;
};

// Takes arrays of many pictures row by row.
class DifferenceSum {
 public:
  explicit DifferenceSum(const Shape& sample) : sample_(sample) {}

  // The next rows of both: `wanted` holds as many elements of any number type.
  void add(std::span<const float> found, const Tensor& wanted);
  Difference difference() const;

 private:
  Shape sample_;
  std::int64_t count_ = 0;
  std::int64_t at_ = 0;
  double largest_ = -1;
  double sum_ = 0;
  double scale_ = 0;
  double products_ = 0;
  double found_squares_ = 0;
  double wanted_squares_ = 0;
  double found_ = 0;
  double wanted_ = 0;
};

}  // namespace alexnet
