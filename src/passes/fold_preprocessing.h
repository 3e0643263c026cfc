// The arithmetic with which preprocessing ends, as part of the first convolution.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "passes/channel_affine.h"

namespace alexnet {

struct FoldedPreprocessing {
  Model model;
  std::string layer;  // the convolution
  std::string note;   // "folded preprocessing's divide and normalize into convolution 'conv1'"
};

// The divisions and normalisations with which preprocessing ends go, in float64, into the convolution that alone reads the input:
// pixels are then fed as they are. No pass of the list in passes.h, since it changes what the input holds: whoever feeds the
// network must take the steps from the result. Weights are f32 afterwards, and what the layers compute is rounded otherwise. The
// model must have passed check(). Throws Error of kind model, which says why, for what can't be folded: a convolution that pads,
// since its zeros stand behind the steps; another reader of the input; other steps; int8 weights, whose scales belong to rows.
FoldedPreprocessing fold_preprocessing(Model model);

// What the divisions and normalisations with which the steps end do to each of the three channels; nothing if they end otherwise.
std::optional<ChannelAffine> ending_affine(const std::vector<Step>& steps);

}  // namespace alexnet
