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
#include "tasks/seen.h"

namespace alexnet::cli {

int show(const Arguments& arguments) {
  const std::string what = arguments.operands().empty() ? "" : arguments.operands().front();
  if (what != "data") {
    throw Error(ErrorKind::usage, "show", what.empty() ? "needs to know what to show" : fmt::format("can't show {}", shown(what)),
                "allowed: data");
  }
  if (!arguments.has("image")) throw Error(ErrorKind::usage, "--image", "is needed", "the picture to show: --image FILE");
  if (arguments.text("output") == "-" && ::isatty(STDOUT_FILENO) == 1) {
    throw Error(ErrorKind::usage, "--output", "a terminal can't show a PNG file", "give a file with -o FILE.png");
  }
  Output output(arguments.text("output"));
  const Model model = load_model(arguments);
  const Decoded picture = load_picture(arguments.text("image"), decode_options(arguments), &interruption());
  end_if_interrupted();
  for (const auto& note : picture.notes) log(LogLevel::debug, fmt::format("{}: {}", printable(arguments.text("image")), note));
  output.write(encode_png(seen(model.preprocessing, picture.image)));
  output.commit();
  return kDone;
}

}  // namespace alexnet::cli
