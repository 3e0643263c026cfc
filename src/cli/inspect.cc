#include "tasks/inspect.h"

#include <unistd.h>

#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/located.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/inspection_text.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verb.h"

namespace alexnet::cli {
namespace {

// Arithmetic is compared with arithmetic of the same kind; what `auto` would choose is no yardstick.
CompileOptions check_options(const Arguments& arguments) {
  CompileOptions options = compile_options(arguments);
  if (!arguments.has("precision")) options.precision = Precision::f32;
  return options;
}

}  // namespace

int inspect(const Arguments& arguments) {
  const auto& files = arguments.operands();
  Output output(arguments.text("output"));
  const Terminal terminal =
      output.is_standard_output() ? terminal_of(STDOUT_FILENO, arguments.text("color")) : Terminal{.utf8 = true};
  const Model model = load_model(arguments, files);

  InspectionParts parts{.name = model_name(arguments, files), .model = model, .inspection = inspect(model)};
  parts.tensors = arguments.has("tensors");
  if (arguments.has("plan")) {
    parts.network = compiled(
        arguments, [&](const CompileOptions& options) { return compile_named(model, options); }, files);
  }
  if (arguments.has("check")) parts.check = located(parts.name, [&] { return check_golden(model, check_options(arguments)); });
  output.write(arguments.has("json") ? inspection_json(parts) : inspection_text(parts, terminal));
  output.commit();
  if (!parts.check || parts.check->agrees) return kDone;
  report(Error(ErrorKind::disagreement, parts.name, check_text(*parts.check)));
  return kDisagreement;
}

}  // namespace alexnet::cli
