#include "import/source.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/located.h"
#include "base/text.h"
#include "formats/bytes.h"
#include "formats/pytorch_file.h"
#include "import/caffe.h"
#include "import/choices.h"
#include "import/onnx.h"
#include "import/pytorch.h"
#include "model/model_file.h"

namespace alexnet {
namespace {

constexpr std::array<std::string_view, 7> kNames{
    "a model file",  "a safetensors file",         "an index of safetensors files", "a PyTorch checkpoint",
    "an ONNX model", "a Caffe network (prototxt)", "Caffe weights (caffemodel)"};

struct OpenFile {
  std::filesystem::path path;
  std::shared_ptr<const MappedFile> mapping;
  SourceKind kind;
};

[[noreturn]] void refuse_unknown(const OpenFile& file) {
  const std::string where = file.path.string();
  if (as_text(file.mapping->bytes()).starts_with("version https://git-lfs")) {
    throw Error(ErrorKind::model, where, "is a pointer of Git LFS, not the file itself", "git lfs pull fetches it");
  }
  throw Error(ErrorKind::model, where, "is nothing that a model can be read from",
              "read are model files, PyTorch checkpoints, safetensors, ONNX, and Caffe's prototxt with caffemodel");
}

OpenFile opened(const std::filesystem::path& path) {
  OpenFile file{path, MappedFile::open(path), {}};
  const auto kind = source_kind(file.mapping->bytes());
  if (!kind) refuse_unknown(file);
  file.kind = *kind;
  return file;
}

Imported import_model_file(const OpenFile& file, const Safetensors& tensors, const SourceOptions& options) {
  Imported imported;
  imported.model =
      model_from(tensors, file.path.string(), {.allow_nonfinite = options.allow_nonfinite, .threads = options.threads});
  imported.format = "alexnet model file";
  for (const auto& parameter : parameters(imported.model.graph)) {
    const Weight& weight = imported.model.weights.at(parameter.name);
    imported.tensors.push_back({parameter.name, parameter.name, weight.shape, weight.data.type(), "as it is"});
  }
  return imported;
}

StateDict named(Safetensors file, std::string format) {
  return {.tensors = std::move(file.tensors), .in_order = false, .modules = {}, .format = std::move(format)};
}

Source import_one(const OpenFile& file, const SourceOptions& options) {
  const std::string where = file.path.string();
  const auto bytes = file.mapping->bytes();
  Source source{.imported = {}, .kind = file.kind, .files = {file.path}};
  auto checkpoint = options.state_dict;
  checkpoint.allow_nonfinite = options.allow_nonfinite;
  switch (file.kind) {
    case SourceKind::model_file:
    case SourceKind::safetensors: {
      auto tensors = read_safetensors(bytes, file.mapping, where);
      if (is_model_file(tensors)) {
        source.kind = SourceKind::model_file;
        source.imported = import_model_file(file, tensors, options);
      } else {
        source.imported = import_state_dict(named(std::move(tensors), "safetensors"), checkpoint, where);
      }
      break;
    }
    case SourceKind::safetensors_index: {
      auto tensors = read_safetensors_index(file.path);
      source.files.insert(source.files.end(), tensors.shards.begin(), tensors.shards.end());
      source.imported = import_state_dict(named(std::move(tensors), "safetensors (several files)"), checkpoint, where);
      break;
    }
    case SourceKind::pytorch: source.imported = import_pytorch(read_pytorch(bytes, file.mapping, where), checkpoint); break;
    case SourceKind::onnx: {
      const auto model = read_onnx(bytes, file.mapping, where, file.path.parent_path());
      source.imported = import_onnx(model, {.values = options.values}, where);
      source.files.insert(source.files.end(), model.external_files.begin(), model.external_files.end());
      break;
    }
    case SourceKind::caffe_network:
      throw Error(ErrorKind::model, where, "is a Caffe network without its weights", "name its .caffemodel, too");
    case SourceKind::caffe_weights:
      throw Error(ErrorKind::model, where, "holds the weights of a Caffe network, not its structure",
                  "name its deploy.prototxt, too");
  }
  return source;
}

Source import_two(OpenFile network, OpenFile weights, const SourceOptions& options) {
  if (weights.kind == SourceKind::caffe_network) std::swap(network, weights);
  if (network.kind != SourceKind::caffe_network || weights.kind != SourceKind::caffe_weights) {
    throw Error(ErrorKind::usage, network.path.string(),
                fmt::format("is {}, {} is {}", name(network.kind), printable(weights.path.string()), name(weights.kind)),
                "two sources must be a Caffe network and its weights");
  }
  const std::string where = network.path.string();
  auto imported = import_caffe(parse_prototxt(as_text(network.mapping->bytes()), where),
                               read_caffemodel(weights.mapping->bytes(), weights.mapping, weights.path.string()),
                               {.mean = options.mean}, where, weights.path.filename().string());
  return {.imported = std::move(imported), .kind = network.kind, .files = {network.path, weights.path}};
}

}  // namespace

std::string_view name(SourceKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<SourceKind> source_kind(std::span<const std::byte> file) {
  if (looks_like_pytorch(file)) return SourceKind::pytorch;
  if (looks_like_safetensors(file)) return SourceKind::safetensors;
  if (looks_like_onnx(file)) return SourceKind::onnx;
  if (looks_like_caffemodel(file)) return SourceKind::caffe_weights;
  if (trim(as_text(file.first(std::min<std::size_t>(file.size(), 256)))).starts_with('{')) return SourceKind::safetensors_index;
  if (looks_like_prototxt(as_text(file))) return SourceKind::caffe_network;
  // One that breaks off in its first fields: its reader says where.
  if (!file.empty() && file.front() == std::byte{0x08}) return SourceKind::onnx;
  return std::nullopt;
}

Source import_source(std::span<const std::filesystem::path> sources, const SourceOptions& options) {
  if (sources.empty() || sources.size() > 2) {
    throw Error(ErrorKind::usage, "", fmt::format("{} sources are given", sources.size()),
                "one file, or a Caffe network and its weights");
  }
  Source source =
      sources.size() == 1 ? import_one(opened(sources[0]), options) : import_two(opened(sources[0]), opened(sources[1]), options);
  apply_choices(source, options);
  // The other importers look at it themselves.
  const bool unchecked = source.kind == SourceKind::onnx || source.kind == SourceKind::caffe_network;
  if (unchecked && !options.allow_nonfinite) check_finite(source.imported.model.weights, sources.front().string());
  return source;
}

}  // namespace alexnet
