#include "tasks/compare.h"

#include <unistd.h>

#include <optional>

#include "alexnet/error.h"
#include "cli/comparison_report.h"
#include "cli/comparison_text.h"
#include "cli/exit_codes.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/report_parts.h"
#include "cli/signals.h"
#include "cli/verb.h"
#include "tasks/diagnose.h"

namespace alexnet::cli {
namespace {

// What is wrong with the reference names it; everything else is about the model.
template <typename Work>
auto naming_model(const std::string& model, const std::string& reference, Work&& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.where().starts_with(reference)) throw;
    throw Error(error.kind(), error.where().empty() ? model : model + ": " + error.where(), error.message(), error.hint());
  }
}

}  // namespace

int compare(const Arguments& arguments) {
  const std::string dump = arguments.text("reference");
  if (dump.empty()) {
    throw Error(ErrorKind::usage, "--reference", "is needed", "a dump of another framework's activations: --reference DUMP.npz");
  }
  Output output(arguments.text("output"));
  std::optional<Output> page = report_output(arguments);
  const Terminal terminal =
      output.is_standard_output() ? terminal_of(STDOUT_FILENO, arguments.text("color")) : Terminal{.utf8 = true};
  const Model model = load_model(arguments, arguments.operands());
  const std::string name = model_name(arguments, arguments.operands());
  std::optional<Diagnosis> diagnosis;
  const Comparison comparison = naming_model(name, dump, [&] {
    const ReferenceDump reference(dump, model.graph);
    const CompareOptions options{.compile = compile_options(arguments), .stop = &interruption()};
    Comparison result = compare(model, reference, options);
    end_if_interrupted();
    if (arguments.has("diagnose")) diagnosis = diagnose(model, reference, result, options);
    return result;
  });
  end_if_interrupted();
  const ComparisonParts parts{.model = name, .reference = dump, .comparison = comparison, .diagnosis = diagnosis};
  output.write(arguments.text("format") == "json" ? comparison_json(parts) : comparison_text(parts, terminal));
  output.commit();
  if (page) {
    page->write(comparison_page(parts, model.labels, report_origin(arguments, model, name, comparison.precision)));
    page->commit();
  }
  if (comparison.agrees()) return kDone;
  report(Error(ErrorKind::disagreement, dump, disagreement_text(comparison),
               diagnosis ? "" : "--diagnose tries what is usually the cause"));
  return kDisagreement;
}

}  // namespace alexnet::cli
