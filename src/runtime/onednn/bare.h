// Layers as lone oneDNN primitives: the yardstick for compiled networks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/network.h"

namespace alexnet {

struct BareLayer {
  std::string layer;
  std::string implementation;  // oneDNN's own name for its kernel
  std::uint64_t weight_bytes = 0;
  std::uint64_t activation_bytes = 0;  // read and written
  std::function<void()> run;           // on buffers of its own
};

// Each convolution, linear layer, response normalisation and max-pool of the graph that oneDNN has a primitive for: in the layouts
// it prefers, weights reordered beforehand, ReLU done on the way, linear layers as the faster of inner product and matmul.
// Convolutional layers take `slice` samples, linear ones `rows`. int8 has u8 activations and s8 weights, without requantisation,
// and normalises in f32. Scratch is oneDNN's own. Made and run under a ThreadScope of as many threads.
std::vector<BareLayer> bare_layers(const Graph& graph, Precision precision, std::int64_t slice, std::int64_t rows);

// Multiply-adds a second, of all threads together, that a large matrix product of this precision reaches: what is taken for the
// machine's peak.
double peak_macs(Precision precision);

}  // namespace alexnet
