// PyTorch's checkpoints, read without Python: what torch.save wrote, as entries that may be a network's weights. Which
// of them is meant, and what the names mean, is the importer's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "formats/pickle.h"
#include "formats/pytorch_file.h"
#include "tensor/tensor.h"

namespace alexnet {

// A dictionary or list with tensors, or a whole nn.Module.
struct PytorchEntry {
  std::string key;  // where it is: "" for the root, "state_dict", "ema.module"
  bool is_module = false;
  PickleRef node = kNoPickle;
  // The tensors by name, in the file's order: dictionary keys, numbers in a list, names as state_dict() would give them
  // in a module.
  std::vector<std::pair<std::string, PickleRef>> tensors;
};

struct PytorchCheckpoint {
  PytorchFile file;
  // Outermost first. What lies in optimiser states, lists below the root and under numbers is no entry.
  std::vector<PytorchEntry> entries;
};

// Throws Error of kind model for what is no checkpoint. A checkpoint without any tensor has no entries.
PytorchCheckpoint read_pytorch(const std::filesystem::path& path);
// The same for a file in memory, kept alive by `owner`; `where` stands for it in messages.
PytorchCheckpoint read_pytorch(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where);

// The entry's tensors: views into the mapped file where they are contiguous and aligned, else copies. Checks the
// checksums of the storages used. Throws Error of kind model, naming the tensor (see pytorch_tensor.h).
std::vector<NamedTensor> tensors_of(const PytorchCheckpoint& checkpoint, const PytorchEntry& entry);

using PytorchAttribute = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;

// A layer of a pickled module: its class and constructor's parameters.
struct PytorchModule {
  std::string name;                                    // "features.0"; "" for the outermost
  std::string type;                                    // "torch.nn.modules.conv.Conv2d"
  std::map<std::string, PytorchAttribute> attributes;  // kernel_size, stride, padding, groups, training, ...
};

// The modules of an entry that is a module, parents first, children in their order.
std::vector<PytorchModule> modules_of(const PytorchCheckpoint& checkpoint, const PytorchEntry& entry);

}  // namespace alexnet
