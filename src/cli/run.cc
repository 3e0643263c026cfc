#include "tasks/run.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "cli/exit_codes.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/verb.h"
#include "formats/npy.h"
#include "formats/npz.h"

namespace alexnet::cli {
namespace {

std::vector<NamedTensor> read_inputs(const Arguments& arguments) {
  std::vector<NamedTensor> inputs;
  for (const auto& text : arguments.all("input")) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      throw Error(ErrorKind::usage, "--input", fmt::format("{} is not allowed", shown(text)), "allowed: NAME=FILE.npy");
    }
    inputs.push_back({text.substr(0, equals), read_npy(text.substr(equals + 1))});
  }
  if (inputs.empty())
    throw Error(ErrorKind::usage, "run", "needs tensors", "give each input of the network with --input NAME=FILE.npy");
  return inputs;
}

std::string described(const NamedTensor& output) {
  const auto values = output.tensor.values<float>();
  float smallest = INFINITY;
  float largest = -INFINITY;
  double sum = 0;
  for (const float value : values) {
    smallest = std::min(smallest, value);
    largest = std::max(largest, value);
    sum += static_cast<double>(value);
  }
  std::string text = fmt::format("{}  {}\n", output.name, to_string(output.tensor.shape()));
  if (values.empty()) return text;
  text += fmt::format("  from {} to {}, mean {}\n ", shortest(smallest), shortest(largest),
                      shortest(static_cast<float>(sum / static_cast<double>(values.size()))));
  constexpr std::size_t kFirst = 8;
  for (const float value : values.subspan(0, std::min(kFirst, values.size()))) text += " " + shortest(value);
  return text + (values.size() > kFirst ? " ...\n" : "\n");
}

}  // namespace

int run(const Arguments& arguments) {
  const std::string target = arguments.text("output");
  std::optional<TemporaryFile> temporary;
  if (target == "-") temporary.emplace();
  std::optional<NpzWriter> archive;
  if (!target.empty()) archive.emplace(temporary ? temporary->path() : std::filesystem::path(target));

  auto inputs = read_inputs(arguments);
  std::map<std::string, Tensor> values;
  for (const auto& [name, tensor] : inputs) values.emplace(name, tensor);
  const Imported source = load_source(arguments, arguments.operands(), std::move(values));
  const Model& model = source.model;
  std::erase_if(inputs, [&](const NamedTensor& input) { return source.bound.contains(input.name); });
  const auto layers = layer_names(arguments);
  const auto network = compiled(arguments, [&](const CompileOptions& options) {
    return layers.empty() ? compile_named(model, options) : compile_named(model, layers, options);
  });
  auto outputs = run(network, inputs, &interruption());
  end_if_interrupted();
  for (auto& [name, tensor] : outputs) {
    if (source.unbatched.contains(name)) tensor = tensor.reshaped(tensor.shape().without_batch());
  }
  if (!archive) {
    std::string text;
    for (const auto& output : outputs) text += described(output);
    write_all(STDOUT_FILENO, text, "standard output");
    return kDone;
  }
  for (const auto& [name, tensor] : outputs) archive->add(name, tensor);
  archive->finish();
  if (temporary) temporary->copy_to_standard_output();
  return kDone;
}

}  // namespace alexnet::cli
