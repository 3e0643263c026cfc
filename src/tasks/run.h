// The network on tensors: no image work.
#pragma once

#include <atomic>
#include <vector>

#include "tasks/named_network.h"
#include "tensor/tensor.h"

namespace alexnet {

// Runs all samples and returns every output of the network as an f32 tensor whose first axis is the batch. Each input must be
// given once, as numbers of any type (computed with as f32), of the network's shape or with a batch in front of it, the same
// for all; their order does not matter. Throws Error of kind usage, naming input, shape wanted and shape found. When *stop
// becomes other than zero the result is empty. A network whose layers take statistics from the batch runs all samples as one.
std::vector<NamedTensor> run(const NamedNetwork& network, const std::vector<NamedTensor>& inputs, const std::atomic<int>* stop);

}  // namespace alexnet
