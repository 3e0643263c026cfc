// Layers that scale and shift each channel, and the linear layers that can take that over.
#pragma once

#include <optional>
#include <vector>

#include "model/model.h"

namespace alexnet {

// y = scale * x + shift for each channel.
struct ChannelAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

// The node as a ChannelAffine of this many channels; nothing if it is none, or if a number of it is not finite.
std::optional<ChannelAffine> channel_affine(const Node& node, const Weights& weights, std::size_t channels);

// First one, then the other.
ChannelAffine in_turn(const ChannelAffine& first, const ChannelAffine& then);

// As the weights of a ScaleShift; nothing if a number overflows.
struct StoredAffine {
  Weight scale;
  Weight shift;
};
std::optional<StoredAffine> stored(const ChannelAffine& affine);

// Weights of a convolution or linear layer: `bias` is missing if the layer has none.
struct LinearWeights {
  Weight weight;
  std::optional<Weight> bias;
};

// The weights with which the layer computes what it did with `affine` behind it: rows are scaled, so int8 stays int8. Nothing
// if a number overflows.
std::optional<LinearWeights> followed_by(const LinearWeights& weights, const ChannelAffine& affine);

// The weights with which the layer computes what it did with `affine` before it, provided that the layer pads nothing. The
// channels of group g are those from g * C / groups on. Nothing if a number overflows, or for int8, whose scales belong to rows,
// unless all channels are scaled alike and none is shifted.
std::optional<LinearWeights> preceded_by(const LinearWeights& weights, const ChannelAffine& affine, std::int64_t groups);

}  // namespace alexnet
