// Our model file: one safetensors file with everything that is needed to run a network right (docs/model-file.md).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "formats/safetensors.h"
#include "model/model.h"

namespace alexnet {

struct ModelFileOptions {
  bool allow_nonfinite = false;  // take NaN and infinite weights as they are
  int threads = 1;               // to look for them with
};

// Maps the file and checks it whole; the weights look into the mapping and keep it alive. Throws Error of kind model, naming the
// file and the tensor, layer or key.
Model read_model(const std::filesystem::path& path, const ModelFileOptions& options = {});
// The same for a file that is in memory already, kept alive by `owner`; `where` stands for it in messages.
Model read_model(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where,
                 const ModelFileOptions& options = {});

// Whether a safetensors file is a model file of ours, of any version.
bool is_model_file(const Safetensors& file);
Model model_from(const Safetensors& file, const std::string& where, const ModelFileOptions& options = {});

// Replaces `path` by this model's file, in one step; the same model always gives the same bytes. Throws Error of kind model for
// a model that check() refuses, of kind output if it can't be written.
void write_model(const Model& model, const std::filesystem::path& path);
// The same into a file that nothing was written to yet; committing it is the caller's.
void write_model(const Model& model, AtomicFile& file);

}  // namespace alexnet
