#include "model/model_file.h"

#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/located.h"
#include "base/text.h"
#include "model/accuracy.h"
#include "model/labels.h"
#include "model/lrn_source.h"
#include "model/ranges.h"
#include "model/weight_tensors.h"

namespace alexnet {
namespace {

constexpr int kVersion = 1;
constexpr std::string_view kPrefix = "alexnet.";
constexpr const char* kFormat = "alexnet.format";
constexpr const char* kGraph = "alexnet.graph";
constexpr const char* kPreprocess = "alexnet.preprocess";
constexpr const char* kLabels = "alexnet.labels";
constexpr const char* kGoldenInput = "golden.input";
constexpr const char* kGoldenLogits = "golden.logits";

// What a model carries along as JSON; `check` throws for what is not in its form or does not fit the graph.
struct Carried {
  const char* key;
  std::string Model::*text;
  void (*check)(const Json& json, const Graph& graph);
};
constexpr std::array<Carried, 4> kCarried{
    {{"alexnet.provenance", &Model::provenance, [](const Json&, const Graph&) {}},
     {"alexnet.accuracy", &Model::accuracy, [](const Json& json, const Graph&) { accuracy_from_json(json); }},
     {"alexnet.ranges", &Model::ranges, [](const Json& json, const Graph& graph) { check(ranges_from_json(json), graph); }},
     {"alexnet.lrn_source", &Model::lrn_source, [](const Json& json, const Graph& graph) { lrn_sources_from_json(json, graph); }}}};

using Metadata = std::map<std::string, std::string>;

void check_version(const Metadata& metadata, const std::string& where) {
  const auto found = metadata.find(kFormat);
  if (found == metadata.end()) {
    throw Error(ErrorKind::model, where, fmt::format("is a safetensors file, but no model file: it has no {}", kFormat),
                "`alexnet convert` makes model files");
  }
  const auto version = parse_integer(found->second);
  if (!version || *version < 1) {
    throw Error(ErrorKind::model, where, fmt::format("{} is {}, must be a whole number from 1", kFormat, shown(found->second)));
  }
  if (*version > kVersion) {
    throw Error(ErrorKind::model, where,
                fmt::format("is a model file of format {}, this program reads up to format {}", *version, kVersion),
                "a newer alexnet made it, and can read it");
  }
}

void check_keys(const Metadata& metadata, const std::string& where) {
  std::vector<std::string> known{kFormat, kGraph, kPreprocess, kLabels};
  for (const auto& carried : kCarried) known.emplace_back(carried.key);
  for (const auto& [key, value] : metadata) {
    if (!key.starts_with(kPrefix) || std::ranges::find(known, key) != known.end()) continue;
    const auto likely = nearest(key, known);
    throw Error(ErrorKind::model, where, fmt::format("has the unknown metadata key {}", shown(key)),
                likely ? fmt::format("did you mean '{}'?", *likely) : "");
  }
}

// What the metadata says, all but the weights.
Model described(const Metadata& metadata, const std::string& where) {
  Model model;
  const auto read = [&](const char* key, auto use) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) return false;
    located(fmt::format("{}: {}", where, key), [&] { use(parse_json(found->second, "")); });
    return true;
  };
  if (!read(kGraph, [&](const Json& json) { model.graph = graph_from_json(json); })) {
    throw Error(ErrorKind::model, where, fmt::format("has no {}", kGraph));
  }
  read(kPreprocess, [&](const Json& json) { model.preprocessing = preprocessing_from_json(json, ""); });
  read(kLabels, [&](const Json& json) { model.labels = labels_from_json(json); });
  for (const auto& carried : kCarried) {
    read(carried.key, [&](const Json& json) {
      carried.check(json, model.graph);
      model.*carried.text = json.dump();
    });
  }
  return model;
}

std::optional<Golden> take_golden(std::map<std::string, Tensor>& tensors, std::vector<std::string>& found) {
  auto input = tensors.extract(kGoldenInput);
  auto logits = tensors.extract(kGoldenLogits);
  if (input.empty() && logits.empty()) return std::nullopt;
  if (input.empty() || logits.empty()) {
    found.push_back(fmt::format("'{}' is there without '{}'", input.empty() ? kGoldenLogits : kGoldenInput,
                                input.empty() ? kGoldenInput : kGoldenLogits));
    return std::nullopt;
  }
  return Golden{.input = std::move(input.mapped()), .logits = std::move(logits.mapped())};
}

// Several steps may share a tensor.
void take_step_tensors(Preprocessing& preprocessing, std::map<std::string, Tensor>& tensors, std::vector<std::string>& found) {
  const auto steps = alexnet::tensors(preprocessing);
  for (const auto& step : steps) {
    const auto tensor = tensors.find(step.name);
    if (tensor == tensors.end()) {
      found.push_back(fmt::format("{}, which preprocessing reads, is missing", shown(step.name)));
    } else {
      *step.tensor = tensor->second;
    }
  }
  for (const auto& step : steps) tensors.erase(step.name);
}

// The tensors of a model file in the order in which they are written.
std::vector<NamedTensor> all_tensors(const Model& model) {
  std::vector<NamedTensor> result;
  for (const auto& parameter : parameters(model.graph)) {
    for (auto& tensor : tensors_of(parameter.name, model.weights.at(parameter.name))) result.push_back(std::move(tensor));
  }
  Preprocessing preprocessing = model.preprocessing;
  std::map<std::string, Tensor> of_steps;
  for (const auto& step : tensors(preprocessing)) of_steps.emplace(step.name, *step.tensor);
  for (const auto& [name, tensor] : of_steps) result.push_back({name, tensor});
  if (model.golden) {
    result.push_back({kGoldenInput, model.golden->input});
    result.push_back({kGoldenLogits, model.golden->logits});
  }
  return result;
}

}  // namespace

Model read_model(const std::filesystem::path& path, const ModelFileOptions& options) {
  return model_from(read_safetensors(path), path.string(), options);
}

Model read_model(std::span<const std::byte> file, std::shared_ptr<const void> owner, const std::string& where,
                 const ModelFileOptions& options) {
  return model_from(read_safetensors(file, std::move(owner), where), where, options);
}

bool is_model_file(const Safetensors& file) { return file.metadata.contains(kFormat); }

Model model_from(const Safetensors& file, const std::string& where, const ModelFileOptions& options) {
  check_version(file.metadata, where);
  check_keys(file.metadata, where);
  Model model = described(file.metadata, where);
  std::map<std::string, Tensor> tensors;
  for (const auto& named : file.tensors) tensors.emplace(named.name, named.tensor);
  std::vector<std::string> found;
  model.golden = take_golden(tensors, found);
  for (const auto& parameter : parameters(model.graph)) {
    if (auto weight = take_weight(parameter, tensors, found)) model.weights.emplace(parameter.name, std::move(*weight));
  }
  take_step_tensors(model.preprocessing, tensors, found);
  // What is left belongs to no layer: problems() says so.
  for (const auto& [name, tensor] : tensors) model.weights.emplace(name, Weight::of(tensor));
  const auto others = problems(model);
  found.insert(found.end(), others.begin(), others.end());
  refuse_if_any(found, where);
  if (!options.allow_nonfinite) check_finite(model.weights, where, options.threads);
  return model;
}

void write_model(const Model& model, AtomicFile& file) {
  const std::string where = file.path().string();
  check(model, where);
  Metadata metadata{{kFormat, std::to_string(kVersion)}, {kGraph, to_json(model.graph).dump()}};
  if (!model.preprocessing.steps.empty()) metadata[kPreprocess] = to_json(model.preprocessing).dump();
  if (!model.labels.empty()) metadata[kLabels] = to_json(model.labels).dump();
  for (const auto& carried : kCarried) {
    const std::string& text = model.*carried.text;
    if (text.empty()) continue;
    metadata[carried.key] = located(fmt::format("{}: {}", where, carried.key), [&] {
      const Json json = parse_json(text, "");
      carried.check(json, model.graph);
      return json.dump();
    });
  }
  write_safetensors(file, metadata, all_tensors(model));
}

void write_model(const Model& model, const std::filesystem::path& path) {
  AtomicFile file(path);
  write_model(model, file);
  file.commit();
}

}  // namespace alexnet
