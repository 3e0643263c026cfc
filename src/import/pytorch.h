// From the files of PyTorch and safetensors to a model.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "import/state_dict.h"

namespace alexnet {

// A checkpoint of torch.save, whatever is wrapped around its weights. Throws Error of kind model, also if several of its entries
// could be meant, naming them. Weights stay views of the mapped file where they need not be converted.
Imported import_pytorch(const std::filesystem::path& path, const StateDictOptions& options = {});
Imported import_pytorch(const PytorchCheckpoint& checkpoint, const StateDictOptions& options);

// A safetensors file, or the index (JSON) of one that is split into several.
Imported import_safetensors(const std::filesystem::path& path, const StateDictOptions& options = {});

}  // namespace alexnet
