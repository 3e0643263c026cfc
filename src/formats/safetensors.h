// safetensors: a JSON header and one buffer of tensor data (https://huggingface.co/docs/safetensors).
// Files are strangers: everything the header says is checked against the file before anything is made from it. Refused
// are all files that the reference implementation refuses, and duplicate keys, which the format's text forbids.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "tensor/tensor.h"

namespace alexnet {

struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::vector<NamedTensor> tensors;           // in the order of their data in the file
  std::vector<std::filesystem::path> shards;  // the files that an index names
};

// Whether the bytes begin as a safetensors file does: a cheap look, to tell formats apart.
bool looks_like_safetensors(std::span<const std::byte> file);

// Maps the file; the tensors look into the mapping and keep it alive. Data that is not aligned to its element type is
// copied. Throws Error of kind model.
Safetensors read_safetensors(const std::filesystem::path& path);
// The same for a file that is in memory already, kept alive by `owner`; `where` stands for it in messages.
Safetensors read_safetensors(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where);

// A model split into several files: reads `*.safetensors.index.json` and the files it names, which lie beside it.
// Tensors come in the order of the files' names; metadata is the files', where they contradict each other the first's.
Safetensors read_safetensors_index(const std::filesystem::path& path);

// Replaces `path` by a file of these tensors, in one step; the same arguments always give the same bytes. A tensor whose
// byte count is a multiple of 2^n (n <= 6) starts at a multiple of 2^n bytes from the start of the file: tensors of a
// multiple of 64 bytes, which weights usually have, are aligned to 64, and every tensor is aligned to its elements. The
// format allows no gaps between tensors, so nothing more can be promised. Tensors stand in the order of falling n,
// otherwise in the given order. Throws Error of kind output, also for two tensors of one name and names that are not UTF-8.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                       std::span<const NamedTensor> tensors);
// The same into a file that nothing was written to yet; committing it is the caller's.
void write_safetensors(AtomicFile& file, const std::map<std::string, std::string>& metadata, std::span<const NamedTensor> tensors);

}  // namespace alexnet
