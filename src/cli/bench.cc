#include "tasks/bench.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/located.h"
#include "base/text.h"
#include "cli/bench_text.h"
#include "cli/exit_codes.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/verb.h"
#include "model/architecture.h"
#include "tasks/golden.h"
#include "tasks/named_network.h"

namespace alexnet::cli {
namespace {

// "1,8,32"
std::vector<std::int64_t> batches(const Arguments& arguments) {
  constexpr long long kLargest = 4096;
  std::vector<std::int64_t> result;
  for (const auto& part : split(arguments.text("batch"), ',')) {
    const auto number = parse_integer(trim(part));
    if (!number || *number < 1 || *number > kLargest) {
      throw Error(ErrorKind::usage, "--batch", fmt::format("{} is not allowed", shown(part)),
                  fmt::format("allowed: integers from 1 to {}, separated by commas", kLargest));
    }
    result.push_back(*number);
  }
  return result;
}

std::vector<Precision> precisions(const Arguments& arguments) {
  std::vector<Precision> result;
  for (const auto& part : split(arguments.text("precision"), ',')) {
    const auto precision = precision_named(trim(part));
    if (!precision) {
      throw Error(ErrorKind::usage, "--precision", fmt::format("{} is not allowed", shown(part)),
                  "allowed: auto, f32, bf16 and int8, separated by commas");
    }
    result.push_back(*precision);
  }
  return result;
}

std::string load_average() {
  std::string first;
  std::ifstream("/proc/loadavg") >> first;
  return first.empty() ? "unknown" : first;
}

Model model_of(const Arguments& arguments) {
  if (!arguments.has("arch")) return load_model(arguments);
  if (arguments.has("model"))
    throw Error(ErrorKind::usage, "--arch", "goes without --model", "it brings random weights of its own");
  const Architecture known = architecture(arguments.text("arch"));
  Model model = random_model(known.graph);
  model.preprocessing = known.preprocessing;
  return model;
}

}  // namespace

int bench(const Arguments& arguments) {
  Output output(arguments.text("output"));
  const Terminal terminal =
      output.is_standard_output() ? terminal_of(STDOUT_FILENO, arguments.text("color")) : Terminal{.utf8 = true};
  BenchOptions options{
      .batches = batches(arguments), .seconds = static_cast<double>(arguments.integer("seconds")), .stop = &interruption()};
  const auto wanted = precisions(arguments);
  BenchParts parts{.model = arguments.has("arch") ? arguments.text("arch") + ", random weights" : model_name(arguments),
                   .pictures = arguments.text("pipeline"),
                   .load = load_average(),
                   .threads = threads(arguments)};
  const Model model = model_of(arguments);
  options.sample = golden_input(model);
  CompileOptions compile = compile_options(arguments);
  std::vector<std::shared_ptr<const Network>> networks;
  for (const auto precision : wanted) {
    compile.precision = precision;
    networks.push_back(located(parts.model, [&] { return compile_for_scores(model, compile).network; }));
  }
  if (arguments.has("pipeline")) {
    check_takes_pictures(*networks.front(), model.preprocessing);
    parts.pipeline = bench_pipeline(networks.front(), model.preprocessing, {parts.pictures},
                                    {.recursive = true, .stop = options.stop}, {.pictures = {.stop = options.stop}}, options);
  } else if (arguments.has("layers")) {
    for (const auto& network : networks) {
      for (const auto batch : options.batches) parts.layers.push_back(bench_layers(model, network, batch, options));
    }
  } else {
    parts.cases = bench(networks, options);
  }
  end_if_interrupted();
  output.write(arguments.has("json") ? bench_json(parts) : bench_text(parts, terminal));
  output.commit();
  return kDone;
}

}  // namespace alexnet::cli
