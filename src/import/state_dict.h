// From named tensors, as PyTorch's checkpoints and safetensors files hold them, to a model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "formats/pytorch.h"
#include "import/report.h"
#include "layers/lrn_conventions.h"
#include "model/architecture.h"

namespace alexnet {

// In which order a source flattens maps (C, H, W) before its first linear layer.
enum class FlattenOrder { chw, hwc };

struct StateDictOptions {
  // What the network is. Without it: what its modules say, else the one known architecture that names and shapes fit.
  std::optional<Architecture> architecture{};
  std::string key{};  // which entry of a checkpoint with several: "model_ema"
  FlattenOrder flatten = FlattenOrder::chw;
  // How the numbers of response normalisation are meant that the architecture states for the source; those in the option do
  // not matter. As this engine means them without it.
  std::optional<lrn::Source> lrn{};
  bool allow_nonfinite = false;
};

struct StateDict {
  std::vector<NamedTensor> tensors;
  bool in_order = true;                // the tensors stand in the order of the layers
  std::vector<PytorchModule> modules;  // if the source is a whole module
  std::string format;                  // "PyTorch (zip)"
};

// Takes weights by the layers' names, by their numbers inside nn.Sequential, or by order and shape, and widths from the tensors.
// Batch normalisation behind layers of an architecture that has none is recognised; weight normalisation is folded. Throws Error of
// kind model listing together all tensors that are missing, not expected, or of another shape; and one that names the
// architectures if several fit.
Imported import_state_dict(const StateDict& source, const StateDictOptions& options, const std::string& where);

}  // namespace alexnet
