// The one way in for models of any kind: what a file is, is found from its bytes, and what its importer does not know is settled
// by the caller's choices.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "image/preprocess_presets.h"
#include "import/report.h"
#include "import/state_dict.h"

namespace alexnet {

enum class SourceKind { model_file, safetensors, safetensors_index, pytorch, onnx, caffe_network, caffe_weights };

// "a PyTorch checkpoint"
std::string_view name(SourceKind kind);

// What the bytes are; nothing for what is no source of a model. A cheap look at the beginning: the reader finds what is wrong.
std::optional<SourceKind> source_kind(std::span<const std::byte> file);

// Choices about what a source does not say of itself. One that the source does say is refused as an error of kind usage.
struct SourceOptions {
  bool allow_nonfinite = false;      // take NaN and infinite weights as they are
  int threads = 1;                   // to look for them with, in a model file
  StateDictOptions state_dict = {};  // checkpoints, which hold weights without a structure
  // Pictures. Without these, preprocessing is the source's own, or the architecture's.
  std::string preset = {};                          // by name, made for the network's input
  std::optional<Preprocessing> preprocessing = {};  // or in full
  PictureMean mean = {};
  std::optional<ChannelOrder> channels = {};  // the order that the network wants
  // Values for the inputs of an ONNX graph (OnnxImportOptions).
  std::map<std::string, Tensor> values = {};
};

struct Source {
  Imported imported;
  SourceKind kind;
  std::vector<std::filesystem::path> files;  // all that were read, those given first
};

// The sources are one file, or a Caffe network and its weights in either order. Throws Error of kind model for what can't be
// imported, listing all that is wrong, and for weights that are not finite; of kind usage for choices that do not fit the source.
Source import_source(std::span<const std::filesystem::path> sources, const SourceOptions& options = {});

}  // namespace alexnet
