// Under which names checkpoints keep the parameters of layers.
#pragma once

#include <span>
#include <string_view>

#include "import/source_layers.h"

namespace alexnet {

// The names of the parameter that model files call `ours`, PyTorch's first: {"weight", "gamma", "scale"} for "scale".
std::span<const std::string_view> spellings(std::string_view ours);

// The first spelling that one of the layers has; nullptr if there is none.
const SourceParameter* find_spelled(std::span<const SourceLayer* const> layers, std::string_view ours);

}  // namespace alexnet
