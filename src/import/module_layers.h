// Single modules of torch.nn as layers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/pytorch.h"
#include "import/source_layers.h"
#include "layers/layer.h"
#include "layers/lrn_conventions.h"

namespace alexnet {

struct ModuleLayer {
  std::optional<Layer> layer;       // none for what does nothing
  std::optional<lrn::PyTorch> lrn;  // its own words, for response normalisation
};

// What a module without children does to maps (N, C, H, W) or, if `flat`, to rows (N, C); `source` holds its tensors and may be
// nullptr. Throws Error of kind model for what our layers can't do.
ModuleLayer module_layer(const PytorchModule& module, const SourceLayer* source, bool flat);

// "Conv2d" for a class of torch.nn, empty for others.
std::string_view torch_class(const PytorchModule& module);

// A whole number among the attributes; throws Error of kind model if it is not there.
std::int64_t whole_number(const PytorchModule& module, const char* name);

}  // namespace alexnet
