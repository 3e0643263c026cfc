#include "import/pytorch.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/safetensors.h"

namespace alexnet {
namespace {

std::string shown_key(const PytorchEntry& entry) { return entry.key.empty() ? "the outermost" : shown(entry.key); }

std::string keys(std::span<const PytorchEntry* const> entries) {
  constexpr std::size_t kShown = 20;
  std::vector<std::string> names;
  for (const auto* entry : entries) {
    if (names.size() == kShown) break;
    names.push_back(shown_key(*entry));
  }
  if (entries.size() > kShown) names.push_back(fmt::format("and {} more", entries.size() - kShown));
  return join(names, ", ");
}

struct Chosen {
  const PytorchEntry* entry;
  std::vector<NamedTensor> tensors;
};

// What is no network's weights: counters, losses, statistics.
bool has_matrices(const std::vector<NamedTensor>& tensors) {
  return std::ranges::count_if(tensors, [](const auto& named) { return named.tensor.shape().rank() >= 2; }) > 1;
}

Chosen choose(const PytorchCheckpoint& checkpoint, const std::string& key) {
  const auto& where = checkpoint.file.where;
  std::vector<const PytorchEntry*> all;
  for (const auto& entry : checkpoint.entries) all.push_back(&entry);
  if (all.empty()) throw Error(ErrorKind::model, where, "holds no tensors");
  if (!key.empty()) {
    const auto found = std::ranges::find(all, key, &PytorchEntry::key);
    if (found == all.end())
      throw Error(ErrorKind::model, where, fmt::format("has no tensors under {}", shown(key)), "--key can be " + keys(all));
    return {.entry = *found, .tensors = tensors_of(checkpoint, **found)};
  }
  if (all.size() == 1) return {.entry = all.front(), .tensors = tensors_of(checkpoint, *all.front())};
  std::vector<const PytorchEntry*> candidates;
  Chosen chosen{.entry = nullptr, .tensors = {}};
  for (const auto* entry : all) {
    auto tensors = tensors_of(checkpoint, *entry);
    if (!has_matrices(tensors)) continue;
    candidates.push_back(entry);
    chosen = {.entry = entry, .tensors = std::move(tensors)};
  }
  if (candidates.size() == 1) return chosen;
  if (candidates.empty()) throw Error(ErrorKind::model, where, fmt::format("holds no network's weights, only {}", keys(all)));
  throw Error(ErrorKind::model, where, fmt::format("holds the weights of several networks: {}", keys(candidates)),
              fmt::format("--key NAME says which, e.g. --key {}", candidates.back()->key));
}

}  // namespace

Imported import_pytorch(const PytorchCheckpoint& checkpoint, const StateDictOptions& options) {
  Chosen chosen = choose(checkpoint, options.key);
  StateDict source{
      .tensors = std::move(chosen.tensors),
      .in_order = true,
      .modules = modules_of(checkpoint, *chosen.entry),
      .format = fmt::format("PyTorch ({}){}", checkpoint.file.container, chosen.entry->is_module ? ", whole module" : "")};
  Imported imported = import_state_dict(source, options, checkpoint.file.where);
  if (!chosen.entry->key.empty()) imported.choices.emplace_back("key", chosen.entry->key);
  return imported;
}

Imported import_pytorch(const std::filesystem::path& path, const StateDictOptions& options) {
  return import_pytorch(read_pytorch(path), options);
}

Imported import_safetensors(const std::filesystem::path& path, const StateDictOptions& options) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  // A safetensors file may begin with the same byte, but not with 8 bytes of text: they are its header's length.
  const bool index = bytes.size() >= 8 && bytes.front() == std::byte{'{'} && bytes[7] != std::byte{0};
  auto read = index ? read_safetensors_index(path) : read_safetensors(bytes, file, path.string());
  const StateDict source{.tensors = std::move(read.tensors),
                         .in_order = false,
                         .modules = {},
                         .format = index ? "safetensors (several files)" : "safetensors"};
  return import_state_dict(source, options, path.string());
}

}  // namespace alexnet
