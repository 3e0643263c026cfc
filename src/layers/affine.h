// The learned scale and offset behind a normalisation, either of which may be absent.
#pragma once

#include <span>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

std::vector<Parameter> affine_parameters(bool scale, bool offset, const Shape& shape);

class Affine {
 public:
  // `parameters` holds what affine_parameters() lists, at its end.
  Affine(bool scale, bool offset, std::span<const Tensor> parameters);

  double operator()(double normalised, std::size_t index) const;

 private:
  std::span<const float> scale_;
  std::span<const float> offset_;
};

// Throws Error of kind model for a negative epsilon.
void require_epsilon(double epsilon);

}  // namespace alexnet
