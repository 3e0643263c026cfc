#include "tasks/convert.h"

#include <unistd.h>

#include <filesystem>
#include <optional>

#include "alexnet/error.h"
#include "base/file.h"
#include "cli/conversion_text.h"
#include "cli/exit_codes.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/source_options.h"
#include "cli/verb.h"
#include "model/model_file.h"
#include "tasks/calibrate.h"

namespace alexnet::cli {
namespace {

std::string target_of(const Arguments& arguments) {
  if (arguments.operands().empty()) {
    throw Error(ErrorKind::usage, "convert", "needs a source", "a checkpoint, an ONNX file, or a prototxt and its caffemodel");
  }
  if (arguments.has("dry-run") && arguments.has("calibrate"))
    throw Error(ErrorKind::usage, "--calibrate", "measures for a model file, and --dry-run writes none");
  if (arguments.has("dry-run")) return "";
  const std::string target = arguments.text("output");
  if (target.empty())
    throw Error(ErrorKind::usage, "--output", "is needed", "-o MODEL.safetensors, or --dry-run for the report alone");
  return target;
}

ConvertOptions convert_options(const Arguments& arguments) {
  ConvertOptions options{.source = import_options(arguments),
                         .storage = storage_named(arguments.text("weights")),
                         .fold_preprocessing = arguments.has("fold-preprocessing"),
                         .golden = !arguments.has("no-golden") && !arguments.has("dry-run")};
  if (arguments.has("labels")) options.labels = labels_of(arguments.text("labels"));
  if (arguments.has("verify")) options.reference = arguments.text("verify");
  if (options.golden || options.reference) options.compile = compile_options(arguments);
  return options;
}

}  // namespace

int convert(const Arguments& arguments) {
  const std::string target = target_of(arguments);
  std::optional<TemporaryFile> temporary;
  if (target == "-") temporary.emplace();
  std::optional<AtomicFile> file;
  if (!target.empty()) file.emplace(temporary ? temporary->path() : std::filesystem::path(target));

  const std::vector<std::filesystem::path> sources(arguments.operands().begin(), arguments.operands().end());
  Conversion conversion = convert(sources, convert_options(arguments));
  if (arguments.has("calibrate")) {
    calibrate(conversion.imported.model, arguments.text("calibrate"),
              {.pictures = {.stop = &interruption()}, .compile = compile_options(arguments)});
  }
  end_if_interrupted();
  const bool agrees = !conversion.verified || is_verified(*conversion.verified);
  if (file && agrees) {
    write_model(conversion.imported.model, *file);
    file->commit();
  }
  // With the model on standard output, the report goes beside it.
  const int descriptor = temporary ? STDERR_FILENO : STDOUT_FILENO;
  if (temporary && agrees) temporary->copy_to_standard_output();
  const Terminal terminal = terminal_of(descriptor, arguments.text("color"));
  write_all(descriptor, arguments.has("json") ? conversion_json(conversion) : conversion_text(conversion, terminal),
            temporary ? "standard error" : "standard output");
  if (agrees) return kDone;
  report(Error(ErrorKind::disagreement, arguments.text("verify"), "the network disagrees with it: nothing was written",
               "alexnet compare --diagnose tries what is usually the cause"));
  return kDisagreement;
}

}  // namespace alexnet::cli
