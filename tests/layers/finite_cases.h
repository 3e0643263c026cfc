// What every normalisation must turn into finite numbers: |x| up to 1e4, as long as k and epsilon are positive.
#pragma once

#include <vector>

#include "layers/layer.h"

namespace alexnet::test {

std::vector<Layer> normalisations();
std::vector<Tensor> finite_inputs();
// Scales and offsets in [-2, 2); variances and moments of zero.
std::vector<Tensor> finite_parameters(const Layer& layer, const Shape& input);

}  // namespace alexnet::test
