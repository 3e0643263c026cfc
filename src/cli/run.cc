#include "tasks/run.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/file.h"
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

// Archives are written with jumps back, which standard output may not allow.
class TemporaryFile {
 public:
  TemporaryFile() {
    std::string folder = (std::filesystem::temp_directory_path() / "alexnet-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) throw Error(ErrorKind::output, folder, "can't be created");
    folder_ = folder;
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path() const { return folder_ / "out.npz"; }

 private:
  std::filesystem::path folder_;
};

void copy_to_standard_output(const std::string& file) {
  const auto bytes = read_file(file);
  write_all(STDOUT_FILENO, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "standard output");
}

}  // namespace

int run(const Arguments& arguments) {
  const std::string target = arguments.text("output");
  std::optional<TemporaryFile> temporary;
  if (target == "-") temporary.emplace();
  std::optional<NpzWriter> archive;
  if (!target.empty()) archive.emplace(temporary ? temporary->path() : target);

  const auto inputs = read_inputs(arguments);
  const Model model = load_model(arguments);
  const auto layers = layer_names(arguments);
  const auto network = compiled(arguments, [&](const CompileOptions& options) {
    return layers.empty() ? compile_named(model, options) : compile_named(model, layers, options);
  });
  const auto outputs = run(network, inputs, &interruption());
  end_if_interrupted();
  if (!archive) {
    std::string text;
    for (const auto& output : outputs) text += described(output);
    write_all(STDOUT_FILENO, text, "standard output");
    return kDone;
  }
  for (const auto& [name, tensor] : outputs) archive->add(name, tensor);
  archive->finish();
  if (temporary) copy_to_standard_output(temporary->path());
  return kDone;
}

}  // namespace alexnet::cli
