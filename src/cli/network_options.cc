#include "cli/network_options.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/threads.h"
#include "cli/signals.h"
#include "cli/source_options.h"
#include "cli/verb.h"
#include "import/choices.h"
#include "import/source.h"
#include "model/embedded_model.h"
#include "model/model_file.h"
#include "runtime/parallel.h"

namespace alexnet::cli {
namespace {

constexpr const char* kEmbedded = "embedded model";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// None: the embedded model.
std::vector<std::filesystem::path> model_paths(const Arguments& arguments, const std::vector<std::string>& files) {
  if (!files.empty()) return {files.begin(), files.end()};
  if (arguments.knows("model") && arguments.has("model")) {
    const auto given = arguments.all("model");
    return {given.begin(), given.end()};
  }
  const std::string path = variable("ALEXNET_MODEL");
  return path.empty() ? std::vector<std::filesystem::path>{} : std::vector<std::filesystem::path>{path};
}

// Where prepared weights are kept; empty for nowhere.
std::filesystem::path cache_folder() {
  if (const std::string given = variable("ALEXNET_CACHE"); !given.empty()) return given == "off" ? "" : given;
  const std::filesystem::path caches = variable("XDG_CACHE_HOME");
  if (caches.is_absolute()) return caches / "alexnet";  // others are to be ignored, says the XDG Base Directory Specification
  const std::filesystem::path home = variable("HOME");
  return home.is_absolute() ? home / ".cache" / "alexnet" : "";
}

void say_prepared(const PreparedCounts& prepared) {
  for (const auto& problem : prepared.problems) log(LogLevel::debug, fmt::format("prepared weights: {}", printable(problem)));
  log(LogLevel::debug, fmt::format("prepared weights: {} tensors were there, {} are new", prepared.mapped, prepared.kept));
}

}  // namespace

ThreadBudget threads(const Arguments& arguments) {
  if (arguments.has("threads")) return {static_cast<int>(arguments.integer("threads")), "--threads"};
  if (const std::string text = variable("ALEXNET_THREADS"); !text.empty()) {
    arguments.check("threads", text, "ALEXNET_THREADS");
    return {static_cast<int>(*parse_integer(text)), "ALEXNET_THREADS"};
  }
  if (const std::string text = variable("OMP_NUM_THREADS"); !text.empty()) {
    const auto first = parse_integer(trim(split(text, ',').front()));
    if (!first || *first < 1)
      log(LogLevel::warning, fmt::format("OMP_NUM_THREADS={} is no number of threads and is ignored", shown(text)));
  }
  return thread_budget();
}

std::optional<Precision> precision_named(std::string_view name) {
  if (name == "auto") return Precision::automatic;
  if (name == "f32") return Precision::f32;
  if (name == "bf16") return Precision::bf16;
  if (name == "int8") return Precision::int8;
  return std::nullopt;
}

std::string model_name(const Arguments& arguments, const std::vector<std::string>& files) {
  const auto paths = model_paths(arguments, files);
  return paths.empty() ? kEmbedded : paths.front().string();
}

Imported load_source(const Arguments& arguments, const std::vector<std::string>& files, std::map<std::string, Tensor> values) {
  const auto paths = model_paths(arguments, files);
  const int all = arguments.knows("threads") && arguments.has("threads") ? static_cast<int>(arguments.integer("threads"))
                                                                         : thread_budget().threads;
  SourceOptions options{.allow_nonfinite = arguments.has("allow-nonfinite"), .threads = all, .values = std::move(values)};
  if (arguments.knows("preprocess")) add_preprocessing(arguments, options);
  if (!paths.empty()) {
    auto source = import_source(paths, options);
    for (const auto& warning : source.imported.warnings) log(LogLevel::warning, printable(warning));
    return std::move(source.imported);
  }
  if (embedded_model().empty()) throw Error(ErrorKind::model, kEmbedded, "is not in this build", "name a model file with --model");
  Source source{.imported = {}, .kind = SourceKind::model_file, .files = {kEmbedded}};
  source.imported.model = read_model(embedded_model(), nullptr, kEmbedded, {.threads = options.threads});
  apply_choices(source, options);
  return std::move(source.imported);
}

Model load_model(const Arguments& arguments, const std::vector<std::string>& files) { return load_source(arguments, files).model; }

CompileOptions compile_options(const Arguments& arguments) {
  CompileOptions options;
  const ThreadBudget budget = threads(arguments);
  log(LogLevel::debug, fmt::format("{} threads: {}", budget.threads, budget.reason));
  options.threads = budget.threads;
  if (arguments.knows("precision")) options.precision = precision_named(arguments.text("precision")).value_or(Precision::automatic);
  if (arguments.knows("conv")) options.winograd = arguments.text("conv") == "auto";
  options.max_memory = arguments.has("max-memory") ? byte_count(arguments.text("max-memory")) : free_memory();
  options.prepared = cache_folder();
  start_threads(options.threads);
  return options;
}

NamedNetwork compiled(const Arguments& arguments, const std::function<NamedNetwork(const CompileOptions&)>& compile,
                      const std::vector<std::string>& files) {
  const CompileOptions options = compile_options(arguments);
  try {
    NamedNetwork network = compile(options);
    const Plan& plan = network.network->plan();
    if (!options.prepared.empty()) say_prepared(plan.prepared);
    if (!plan.note.empty()) log(LogLevel::debug, plan.note);
    if (const std::string asked = arguments.text("precision"); asked != "auto" && asked != plan.precision) {
      log(LogLevel::info, fmt::format("--precision {}: the network runs in {} here", asked, plan.precision));
    }
    return network;
  } catch (const Error& error) {
    const std::string name = model_name(arguments, files);
    const std::string where = error.where().empty() ? name : name + ": " + error.where();
    if (error.kind() == ErrorKind::model) throw Error(ErrorKind::model, where, error.message(), error.hint());
    if (error.kind() != ErrorKind::resources) throw;
    if (arguments.has("max-memory")) throw Error(ErrorKind::model, where, error.message(), "--max-memory sets the limit");
    throw Error(ErrorKind::resources, where, error.message(), "the limit is what is free; --max-memory sets another");
  }
}

DecodeOptions decode_options(const Arguments& arguments) {
  return {.max_pixels = static_cast<std::uint64_t>(arguments.integer("max-pixels")),
          .allow_truncated = arguments.has("allow-truncated")};
}

PictureBatchOptions batch_options(const Arguments& arguments, const Preprocessing& preprocessing) {
  PictureBatchOptions options;
  if (arguments.has("batch")) options.batch = static_cast<int>(arguments.integer("batch"));
  if (arguments.knows("crops") && arguments.text("crops") == "10") options.crops = Crops::ten;
  options.decode = decode_options(arguments);
  if (arguments.has("fast-jpeg")) options.decode.shrink_to = resized_to(preprocessing);
  options.stop = &interruption();
  return options;
}

std::vector<Label> labels_for(const Arguments& arguments, const Model& model, std::int64_t classes) {
  if (!arguments.has("labels")) return model.labels;
  const std::string file = arguments.text("labels");
  auto labels = labels_of(file);
  if (static_cast<std::int64_t>(labels.size()) != classes) {
    throw Error(ErrorKind::model, file, fmt::format("has {} labels, the network {} classes", labels.size(), classes));
  }
  return labels;
}

PictureSourceOptions source_options(const Arguments& arguments) {
  return {.recursive = arguments.has("recursive"), .null_separated = arguments.has("null"), .stop = &interruption()};
}

void need_pictures(const Arguments& arguments) {
  if (!arguments.operands().empty()) return;
  throw Error(ErrorKind::usage, std::string(arguments.verb().name), "needs pictures",
              "files, folders, @LIST, or - for standard input");
}

std::vector<std::string> layer_names(const Arguments& arguments) {
  std::vector<std::string> names;
  for (const auto& value : arguments.all("layer")) {
    for (const auto& part : split(value, ',')) names.emplace_back(trim(part));
  }
  return names;
}

}  // namespace alexnet::cli
