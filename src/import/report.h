// What an importer made of a source: a model, and an account of how each of its tensors came about.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"

namespace alexnet {

// One tensor of the source.
struct ImportedTensor {
  std::string source;  // its name there
  std::string ours;    // LAYER.PARAMETER
  Shape shape;         // ours
  ElementType type;    // the source's
  std::string done;    // "transposed", "as it is"
};

struct Imported {
  Model model;
  std::string format;                                        // "ONNX, operator set 20, by pytorch 2.15.0"
  std::vector<ImportedTensor> tensors;                       // in the order of the layers
  std::vector<std::string> unused;                           // the source's tensors that no layer uses
  std::vector<std::string> notes;                            // what was recognised, folded or dropped
  std::vector<std::string> warnings;                         // what is probably wrong
  std::vector<std::pair<std::string, std::string>> choices;  // for the provenance: what was chosen, how
  // Inputs and outputs that have no batch axis in the source: what is given and shown for them is one sample.
  std::set<std::string> unbatched;
  // Inputs of the source that became part of the model, because their values were given.
  std::set<std::string> bound;
};

// Adds to `warnings` what weights look like that were never trained or went wrong: a first convolution of zeros.
void warn_of_odd_weights(Imported& imported);

}  // namespace alexnet
