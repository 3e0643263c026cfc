#include "tasks/convert.h"

#include <algorithm>
#include <future>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "alexnet/version.h"
#include "base/file.h"
#include "base/json.h"
#include "base/located.h"
#include "base/sha256.h"
#include "import/known_structure.h"
#include "passes/fold_preprocessing.h"
#include "tasks/golden.h"

namespace alexnet {
namespace {

SourceFile described(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  return {.name = path.filename().string(), .sha256 = sha256(file->bytes()), .bytes = file->bytes().size()};
}

std::string provenance(const Conversion& conversion, const std::string& earlier) {
  const auto entry = [](const SourceFile& file) { return Json{{"name", file.name}, {"sha256", file.sha256}}; };
  Json json;
  json["source"] = entry(conversion.files.front());
  json["source"]["format"] = conversion.imported.format;
  for (std::size_t i = 1; i < conversion.files.size(); ++i) json["beside"].push_back(entry(conversion.files[i]));
  json["made_by"] = fmt::format("alexnet {}", version());
  for (const auto& [what, how] : conversion.imported.choices) json["choices"][what] = how;
  for (const auto& note : conversion.imported.notes) json["notes"].push_back(note);
  if (!earlier.empty()) json["source"]["provenance"] = parse_json(earlier, "provenance");
  return json.dump();
}

Comparison compared(const Model& model, const ConvertOptions& options) {
  CompareOptions how{.compile = options.compile};
  how.compile.precision = Precision::f32;
  return compare(model, ReferenceDump(*options.reference, model.graph), how);
}

void set_labels(Conversion& conversion, const std::vector<Label>& labels) {
  Model& model = conversion.imported.model;
  const auto classes = class_count(model.graph);
  if (static_cast<std::size_t>(classes.value_or(0)) != labels.size()) {
    throw Error(ErrorKind::model, "labels", fmt::format("there are {} for {} classes", labels.size(), classes.value_or(0)));
  }
  model.labels = labels;
}

void fold_steps(Imported& imported, const std::string& where) {
  auto folded = located(where, [&] { return fold_preprocessing(std::move(imported.model)); });
  imported.model = std::move(folded.model);
  imported.notes.push_back(folded.note);
  for (auto& tensor : imported.tensors) {
    if (tensor.ours != folded.layer + ".weight" && tensor.ours != folded.layer + ".bias") continue;
    tensor.done = (tensor.done == "as it is" ? "" : tensor.done + ", ") + "preprocessing folded in";
  }
}

bool is_stored_so(const Weights& weights, Storage storage) {
  return std::ranges::all_of(
      weights, [&](const auto& weight) { return weight.second.shape.rank() < 2 || weight.second.storage == storage; });
}

// Returns whether anything changed.
bool store(Conversion& conversion, Storage storage) {
  Model& model = conversion.imported.model;
  if (is_stored_so(model.weights, storage)) return false;
  model.weights = stored(model.weights, storage);
  conversion.imported.choices.emplace_back("weights", name(storage));
  return true;
}

// Figures that were measured with other weights or other pictures.
void drop_measurements(Conversion& conversion) {
  Model& model = conversion.imported.model;
  if (!std::exchange(model.accuracy, {}).empty())
    conversion.imported.notes.push_back("dropped the source's accuracy: this model computes otherwise");
  if (!std::exchange(model.ranges, {}).empty())
    conversion.imported.notes.push_back("dropped the source's ranges: this model computes otherwise");
}

void add_golden(Conversion& conversion, const ConvertOptions& options) {
  Model& model = conversion.imported.model;
  model.golden.reset();
  if (conversion.verified && !is_verified(*conversion.verified)) {
    conversion.no_golden = "the network does not agree with the reference";
  } else if (!options.golden) {
    conversion.no_golden = "none was asked for";
  } else if (model.preprocessing.steps.empty()) {
    conversion.no_golden = "it is not known what is done to pictures (--preprocess says it)";
  } else {
    try {
      model.golden = make_golden(model, options.compile);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::model) throw;
      conversion.no_golden = error.message();
    }
  }
}

}  // namespace

bool is_verified(const LayerComparison& layer) {
  constexpr double kBound = 1e-5;
  return layer.cumulative && layer.cumulative->difference.relative <= std::max(kBound, layer.cumulative->allowed);
}

bool is_verified(const Comparison& comparison) {
  return std::ranges::all_of(comparison.layers, [](const LayerComparison& layer) { return is_verified(layer); });
}

Conversion convert(std::span<const std::filesystem::path> sources, const ConvertOptions& options) {
  // It takes about as long as all the rest.
  std::future<SourceFile> first;
  if (!sources.empty()) first = std::async(std::launch::async, described, sources.front());
  Source source = import_source(sources, options.source);
  Conversion conversion{.imported = std::move(source.imported), .kind = source.kind, .files = {}, .verified = {}, .no_golden = {}};
  Model& model = conversion.imported.model;
  if (options.reference) conversion.verified = compared(model, options);
  if (source.kind == SourceKind::onnx) {
    if (const auto known = known_structure(model.graph)) {
      rename(conversion.imported, known->names);
      conversion.imported.choices.emplace_back("names", fmt::format("those of {}, whose structure this is", known->architecture));
    }
  }
  if (options.labels) set_labels(conversion, *options.labels);
  if (options.fold_preprocessing) fold_steps(conversion.imported, sources.front().string());
  const bool other_weights = options.storage && store(conversion, *options.storage);
  const bool other_pictures = !options.source.preset.empty() || options.source.preprocessing || options.source.channels;
  if (other_weights || other_pictures || options.fold_preprocessing) drop_measurements(conversion);
  add_golden(conversion, options);
  for (const auto& path : source.files) {
    conversion.files.push_back(first.valid() && path == sources.front() ? first.get() : described(path));
  }
  model.provenance = provenance(conversion, model.provenance);
  return conversion;
}

}  // namespace alexnet
