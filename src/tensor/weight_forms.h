// Weights that checkpoints keep in parts or in another form than layers use.
#pragma once

#include <cstddef>

#include "tensor/tensor.h"

namespace alexnet {

// Weight normalisation (Salimans and Kingma 2016): w = g * v / norm(v), the norm over all axes but `axis`, along which g has its
// values (any shape with as many elements). Throws Error of kind model if g does not fit. A v of zeros gives 0 / 0, as in PyTorch.
Tensor weight_normalised(const Tensor& g, const Tensor& v, std::size_t axis);

// The weights of a centred convolution: w - mean(w) over each output channel's taps.
Tensor centred(const Tensor& weight);

}  // namespace alexnet
