// From an ONNX file to a model.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "formats/onnx.h"
#include "import/report.h"

namespace alexnet {

struct OnnxImportOptions {
  // Values for the graph's inputs, by name. Those that it needs before it can be made into layers (weights, bounds, shapes)
  // become part of the model; of the others, the shapes settle what the file leaves open.
  std::map<std::string, Tensor> values;
};

// The batch stays free where each sample goes its own way; a graph that mixes the samples of a batch, or has inputs without a
// common one, is taken as it is, as one sample. Preprocessing and labels are not in such files and stay empty. Throws Error of kind
// model for a graph that contradicts itself, and one listing everything in it that can't be imported.
Imported import_onnx(const OnnxModel& model, const OnnxImportOptions& options, const std::string& where);
Imported import_onnx(const std::filesystem::path& path, const OnnxImportOptions& options = {});

}  // namespace alexnet
