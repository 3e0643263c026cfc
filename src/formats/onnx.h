// ONNX model files (onnx.proto) as plain records. The bytes are checked (wire format, sizes of tensors, places of external
// data); what the graph means is for whoever reads the records.
// Not read: training information, functions, sparse and quantisation records, documentation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace alexnet {

struct OnnxGraph;

// std::monostate: a kind of attribute that is not read (sparse tensors, types, lists of tensors and of graphs).
using OnnxAttribute = std::variant<std::monostate, float, std::int64_t, std::string, Tensor, std::shared_ptr<const OnnxGraph>,
                                   std::vector<float>, std::vector<std::int64_t>, std::vector<std::string>>;

struct OnnxNode {
  std::string name;  // may be empty
  std::string op_type;
  std::string domain;                // "" is ONNX's own
  std::vector<std::string> inputs;   // an empty name stands for an absent input
  std::vector<std::string> outputs;  // likewise
  std::map<std::string, OnnxAttribute> attributes;
  std::map<std::string, std::string> metadata;
};

// A graph's input, output or noted intermediate value.
struct OnnxValue {
  std::string name;
  std::int64_t element_type = 0;  // TensorProto.DataType; 0 when it is no tensor, or not said
  // Nothing for an unknown rank; an extent is nothing when it is a name or not said.
  std::optional<std::vector<std::optional<std::int64_t>>> shape;
};

struct OnnxGraph {
  std::string name;
  std::vector<OnnxNode> nodes;
  std::vector<NamedTensor> initializers;
  std::vector<OnnxValue> inputs;  // those with an initializer of the same name have it as their default
  std::vector<OnnxValue> outputs;
};

struct OnnxModel {
  std::int64_t ir_version = 0;
  std::string producer;                        // name and version
  std::map<std::string, std::int64_t> opsets;  // by domain
  OnnxGraph graph;
  std::vector<std::filesystem::path> external_files = {};  // beside the model, with data of its tensors
};

// Whether the bytes begin as an ONNX model does: a cheap look, to tell formats apart.
bool looks_like_onnx(std::span<const std::byte> file);

// Maps the file. Tensors are views into the mapping where their data is aligned to their elements, else copies. Data beside the
// model is looked for in its folder only: absolute paths, "..", links out of the folder and places outside the file are errors.
// Throws Error of kind model.
OnnxModel read_onnx(const std::filesystem::path& path);
// The same for a file in memory, kept alive by `owner`. Data beside it is looked for in `folder`; without one it is an error.
OnnxModel read_onnx(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where,
                    const std::optional<std::filesystem::path>& folder = std::nullopt);

}  // namespace alexnet
