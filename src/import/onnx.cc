#include "import/onnx.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "import/onnx_builder.h"
#include "import/onnx_lower.h"
#include "import/onnx_lrn.h"
#include "import/onnx_trace.h"

namespace alexnet {
namespace {

// The operator set of the ONNX release that this was tested with.
constexpr std::int64_t kNewestOpset = 28;

struct Attempt {
  Imported imported;
  std::vector<OnnxProblem> problems;
};

// Runs a step of building; what can't be done joins the problems.
void collect(std::vector<OnnxProblem>& problems, const std::string& label, auto step) {
  const auto text = [&](const Error& error) {
    return label.empty() ? error.message() : fmt::format("{}: {}", label, error.message());
  };
  try {
    step();
  } catch (const BatchMixed& error) {
    problems.push_back({text(error), OnnxProblem::Kind::mixes_batch});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) throw;
    problems.push_back({text(error)});
  }
}

// Whether everything that the op reads has a layer: if not, the reason is listed already.
bool is_fed(const OnnxOp& op, const OnnxBuilder& builder) {
  return std::ranges::all_of(op.node.inputs,
                             [&](const auto& name) { return !builder.trace().extents.contains(name) || builder.has_source(name); });
}

Attempt attempt(const OnnxModel& model, const OnnxImportOptions& options, bool batch_is_free, const std::string& where) {
  Attempt result;
  auto traced = trace(model, {.batch_is_free = batch_is_free, .values = options.values}, where);
  recognise_lrn(traced);
  result.problems = std::move(traced.problems);
  auto& imported = result.imported;
  OnnxBuilder builder(traced, imported);
  for (const auto& op : traced.ops) {
    if (op.lrn) imported.notes.push_back(fmt::format("{}: a chain of operators, recognised as response normalisation", op.label));
    if (builder.is_done(op) || !is_fed(op, builder)) continue;
    collect(result.problems, op.label, [&] { lower(op, builder); });
  }
  if (result.problems.empty()) collect(result.problems, "", [&] { builder.finish(); });
  imported.notes.insert(imported.notes.end(), traced.notes.begin(), traced.notes.end());
  imported.unused = std::move(traced.unused);
  for (const auto& [name, tensor] : options.values) {
    if (traced.constants.contains(name)) imported.bound.insert(name);
  }
  imported.format = fmt::format("ONNX, operator set {}", traced.opset);
  if (!model.producer.empty()) imported.format += ", by " + printable(model.producer);
  if (traced.opset > kNewestOpset) {
    imported.warnings.push_back(
        fmt::format("operator set {} is newer than {}, the newest that was tested", traced.opset, kNewestOpset));
  }
  return result;
}

bool all_of_kind(const std::vector<OnnxProblem>& problems, std::initializer_list<OnnxProblem::Kind> kinds) {
  return std::ranges::all_of(problems, [&](const auto& problem) { return std::ranges::find(kinds, problem.kind) != kinds.end(); });
}

}  // namespace

Imported import_onnx(const OnnxModel& model, const OnnxImportOptions& options, const std::string& where) {
  using Kind = OnnxProblem::Kind;
  auto result = attempt(model, options, /*batch_is_free=*/true, where);
  if (!result.problems.empty() && all_of_kind(result.problems, {Kind::mixes_batch, Kind::no_batch})) {
    auto whole = attempt(model, options, /*batch_is_free=*/false, where);
    const bool better = whole.problems.empty() || all_of_kind(result.problems, {Kind::no_batch});
    if (better) result = std::move(whole);
    if (result.problems.empty())
      result.imported.notes.push_back("works on whole arrays: its inputs and outputs have no free batch");
  }
  std::vector<std::string> texts;
  for (const auto& problem : result.problems) texts.push_back(problem.text);
  if (!texts.empty()) throw Error(ErrorKind::model, where, join(texts, "; "));
  check(result.imported.model, where);
  warn_of_odd_weights(result.imported);
  return std::move(result.imported);
}

Imported import_onnx(const std::filesystem::path& path, const OnnxImportOptions& options) {
  return import_onnx(read_onnx(path), options, path.string());
}

}  // namespace alexnet
