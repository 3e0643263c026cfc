// From the source of a model to a model file's content.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/label_list.h"
#include "import/source.h"
#include "runtime/network.h"

namespace alexnet {

struct ConvertOptions {
  SourceOptions source = {};
  std::optional<std::vector<Label>> labels = {};
  std::optional<Storage> storage = {};  // of weights; else as the source has them
  bool golden = true;                   // run the golden picture and keep its scores
  CompileOptions compile = {};          // for that
};

struct SourceFile {
  std::string name;  // without its folder
  std::string sha256;
  std::uint64_t bytes = 0;
};

struct Conversion {
  Imported imported;  // its model is what is to be written
  SourceKind kind;
  std::vector<SourceFile> files;  // all that were read
  std::string no_golden;          // why there is no golden picture; empty if there is one
};

// Imports, does what the options ask for, and adds the origin of it all. What the source knew about accuracy and ranges is dropped
// where the weights are stored otherwise or pictures are prepared otherwise. Throws Error as import_source() does, and of kind
// model for labels that are not as many as the network's scores and for weights that the storage can't hold; as compile() does for
// the golden picture, where the network fits pictures at all.
Conversion convert(std::span<const std::filesystem::path> sources, const ConvertOptions& options);

}  // namespace alexnet
