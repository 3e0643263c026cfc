#include "import/onnx_names.h"

#include <optional>

#include "base/text.h"

namespace alexnet {
namespace {

std::optional<std::string> from_weight(const OnnxOp& op, const OnnxTrace& trace) {
  if (op.node.inputs.size() < 2) return std::nullopt;
  const auto weight = trace.constants.find(op.node.inputs[1]);
  if (weight == trace.constants.end()) return std::nullopt;
  // PyTorch's names, and those of Caffe2, which made the first ONNX files.
  for (const std::string_view ending : {".weight", "_w_0"}) {
    const auto& name = weight->second.source;
    if (name.size() > ending.size() && name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  return std::nullopt;
}

// The dynamo exporter notes "['', 'features', 'features.0', 'conv2d']": the modules from the outside in, then the operator.
std::optional<std::string> from_scopes(const OnnxOp& op) {
  const auto found = op.node.metadata.find("pkg.torch.onnx.name_scopes");
  if (found == op.node.metadata.end()) return std::nullopt;
  std::vector<std::string> parts;
  for (const auto& part : split(found->second, ',')) {
    const auto begin = part.find('\'');
    const auto end = part.rfind('\'');
    parts.push_back(begin < end && end != part.npos ? part.substr(begin + 1, end - begin - 1) : "");
  }
  if (parts.size() < 2 || parts[parts.size() - 2].empty()) return std::nullopt;
  return parts[parts.size() - 2];
}

// The TorchScript exporter names nodes "/features/features.0/Conv".
std::optional<std::string> from_path(const OnnxOp& op) {
  if (!op.node.name.starts_with('/')) return std::nullopt;
  const auto parts = split(op.node.name, '/');
  if (parts.size() < 3 || parts[parts.size() - 2].empty()) return std::nullopt;
  return parts[parts.size() - 2];
}

std::string from_output(const std::string& output) {
  constexpr std::string_view kEnding = "_output_0";
  std::string_view name = output;
  if (name.ends_with(kEnding)) name.remove_suffix(kEnding.size());
  if (name.starts_with('/')) name.remove_prefix(1);
  return name.empty() ? output : std::string(name);
}

}  // namespace

std::string suggested_name(const OnnxOp& op, const OnnxTrace& trace) {
  if (auto name = from_weight(op, trace)) return *name;
  if (auto name = from_scopes(op)) return *name;
  if (auto name = from_path(op)) return *name;
  return from_output(op.node.outputs.front());
}

}  // namespace alexnet
