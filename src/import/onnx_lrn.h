// Response normalisation as PyTorch exports it: never as the operator LRN, but as a chain of elementwise operators and pooling.
#pragma once

#include "import/onnx_trace.h"

namespace alexnet {

// Replaces every chain
//   y = x / (k + alpha * AveragePool(Pad(x * x)))^beta,
// where the squares are padded along the channels only and averaged over a window of channels, by one op with its `lrn` set.
// Reshapes between the squares and the pool and behind it, which make the channels a spatial axis and back, belong to the chain.
// Chains that differ in anything are left alone.
void recognise_lrn(OnnxTrace& trace);

}  // namespace alexnet
