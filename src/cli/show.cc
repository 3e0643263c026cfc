#include "tasks/show.h"

#include <unistd.h>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/verb.h"
#include "image/encode_png.h"
#include "tasks/prepare.h"

namespace alexnet::cli {
namespace {

Image picture(const Arguments& arguments) {
  const std::string path = arguments.text("image");
  if (!arguments.has("image")) throw Error(ErrorKind::usage, "--image", "is needed", "the picture to show: --image FILE");
  Decoded decoded = load_picture(path, decode_options(arguments), &interruption());
  end_if_interrupted();
  for (const auto& note : decoded.notes) log(LogLevel::debug, fmt::format("{}: {}", printable(path), note));
  return std::move(decoded.image);
}

Image shown_picture(const Arguments& arguments, const Model& model, const std::string& what) {
  if (what == "data") return seen(model.preprocessing, picture(arguments));
  if (model.weights.contains(what) || what.ends_with(".weight")) return picture_of_filters(model, what);
  const auto network = compiled(arguments, [&](const CompileOptions& options) { return compile_for_maps(model, what, options); });
  return picture_of_maps(network, model.preprocessing, picture(arguments));
}

}  // namespace

int show(const Arguments& arguments) {
  if (arguments.operands().empty()) {
    throw Error(ErrorKind::usage, "show", "needs to know what to show",
                "data, a layer, or a weight as conv1.weight; alexnet inspect lists them");
  }
  if (arguments.text("output") == "-" && ::isatty(STDOUT_FILENO) == 1) {
    throw Error(ErrorKind::usage, "--output", "a terminal can't show a PNG file", "give a file with -o FILE.png");
  }
  Output output(arguments.text("output"));
  output.write(encode_png(shown_picture(arguments, load_model(arguments), arguments.operands().front())));
  output.commit();
  return kDone;
}

}  // namespace alexnet::cli
