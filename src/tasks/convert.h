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
#include "tasks/compare.h"

namespace alexnet {

struct ConvertOptions {
  SourceOptions source = {};
  std::optional<std::vector<Label>> labels = {};
  std::optional<Storage> storage = {};                  // of weights; else as the source has them
  bool fold_preprocessing = false;                      // passes/fold_preprocessing.h
  std::optional<std::filesystem::path> reference = {};  // a reference dump that the network must agree with
  bool golden = true;                                   // run the golden picture and keep its scores
  CompileOptions compile = {};                          // for both
};

struct SourceFile {
  std::string name;  // without its folder
  std::string sha256;
  std::uint64_t bytes = 0;
};

// Whether a layer is as near to the reference as networks are held to: within 1e-5 of its largest value, or within what compare()
// derives from the arithmetic where that is more, as for references in half precision.
bool is_verified(const LayerComparison& layer);
bool is_verified(const Comparison& comparison);

struct Conversion {
  Imported imported;  // its model is what is to be written
  SourceKind kind;
  std::vector<SourceFile> files;       // all that were read
  std::optional<Comparison> verified;  // with the reference; when it does not agree, the model is not to be written
  std::string no_golden;               // why there is no golden picture; empty if there is one
};

// Imports, does what the options ask for, and adds the origin of it all. What the source knew about accuracy and ranges is dropped
// where the weights are stored otherwise or pictures are prepared otherwise. The reference is compared with the
// weights before anything is folded into them or they are stored otherwise, in f32, under the names of the source. Throws Error as
// import_source() does, and of kind model for labels that are not as many as the network's scores, for preprocessing that can't be
// folded and for weights that the storage can't hold; as compile() does for the golden picture, where the network fits pictures at
// all.
Conversion convert(std::span<const std::filesystem::path> sources, const ConvertOptions& options);

}  // namespace alexnet
