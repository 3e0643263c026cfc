// How numbers of 8 bits stand for activations and weights.
#pragma once

#include <cstdint>
#include <vector>

#include "layers/convolution.h"
#include "model/ranges.h"
#include "model/weight.h"

namespace alexnet {

// Activations are u8: a stored q stands for scale * (q - zero), 0 <= q <= most. Without VNNI products are added up in pairs of 16
// bits, which 7 bits of activation can't overflow: 2 * 127 * 127 < 2^15.
struct Quantisation {
  float scale = 1;
  std::int32_t zero = 0;
  std::int32_t most = 255;
};
Quantisation quantisation(const Range& range, bool vnni);

// A weight as int8 with a scale for each output channel: element = scale * q.
struct Int8Weight {
  Tensor values;  // I8, of the weight's shape
  std::vector<float> scales;
};
// As it is stored if that is int8, else rounded.
Int8Weight int8(const Weight& weight);

// The convolution that a strided one over few channels is over blocks of its input: `stride` x `stride` pixels become the channels
// of one (pixel by pixel), so that vectors are full. Its weights are those of the other, with zeros behind the kernel.
struct BlockConvolution {
  Convolution layer;       // stride 1, without padding: the blocks have it already
  std::int64_t block = 1;  // pixels to either side that become one
  Shape input;             // the blocks, as its input
};
BlockConvolution over_blocks(const Convolution& layer, const Shape& input);
// Of a weight [out, C, kernel height, kernel width] as I8.
Tensor over_blocks(const Tensor& weight, const BlockConvolution& blocks);

}  // namespace alexnet
