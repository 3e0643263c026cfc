#include "tasks/features.h"

#include <unistd.h>

#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/csv_text.h"
#include "cli/exit_codes.h"
#include "cli/json_text.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/records.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/verb.h"
#include "tasks/feature_file.h"

namespace alexnet::cli {
namespace {

std::string format_for(const Arguments& arguments) {
  if (arguments.has("format")) return arguments.text("format");
  const std::string name = arguments.text("output");
  if (name == "-") return "jsonl";
  const std::string suffix = std::filesystem::path(name).extension().string();
  for (const char* known : {"npy", "npz", "csv", "jsonl", "safetensors"}) {
    if (suffix == std::string(".") + known) return known;
  }
  throw Error(ErrorKind::usage, "--output", fmt::format("{} has no suffix that names a form", shown(name)),
              "allowed: .npy, .npz, .csv, .jsonl or .safetensors; or give --format");
}

// Where records go while the job runs.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void record(const FeatureRecord& record) = 0;
  virtual void finish() = 0;
  virtual bool to_standard_output() const = 0;
  virtual bool shows_failures() const = 0;
};

std::string numbers(std::span<const float> values, std::string_view separator, bool json) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text += separator;
    text += json ? json_number(values[i]) : shortest(values[i]);
  }
  return text;
}

// {"path": "...", "features": {"fc7": [...]}}; rows are flat, in the layer's row-major order.
class JsonLines : public Sink {
 public:
  JsonLines(const std::string& name, const std::vector<TensorInfo>& layers) : output_(name), layers_(layers) {}

  void record(const FeatureRecord& record) override {
    std::string line = fmt::format("{{{}", json_path(record.path));
    if (record.error) {
      line += ", " + json_error(*record.error);
    } else {
      line += ", \"features\": {";
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        line += fmt::format("{}{}: [{}]", i == 0 ? "" : ", ", json_text(layers_[i].name),
                            numbers(record.values[i], ", ", /*json=*/true));
      }
      line += "}";
    }
    output_.write(line + "}\n");
  }
  void finish() override { output_.commit(); }
  bool to_standard_output() const override { return output_.is_standard_output(); }
  bool shows_failures() const override { return true; }

 private:
  Output output_;
  const std::vector<TensorInfo>& layers_;
};

// path,path_base64,fc7.0,fc7.1,... : one column an element, in the layer's row-major order.
class Csv : public Sink {
 public:
  Csv(const std::string& name, const std::vector<TensorInfo>& layers) : output_(name) {
    std::string head = "path,path_base64";
    for (const auto& layer : layers) {
      for (std::int64_t i = 0; i < layer.shape.elements(); ++i)
        head += fmt::format(",{}", csv_text(fmt::format("{}.{}", layer.name, i)));
    }
    output_.write(head + "\n");
  }

  void record(const FeatureRecord& record) override {
    if (record.error) return;
    std::string line = fmt::format("{},{}", csv_text(record.path), is_utf8(record.path) ? "" : base64(record.path));
    for (const auto& values : record.values) line += "," + numbers(values, ",", /*json=*/false);
    output_.write(line + "\n");
  }
  void finish() override { output_.commit(); }
  bool to_standard_output() const override { return output_.is_standard_output(); }
  bool shows_failures() const override { return false; }

 private:
  Output output_;
};

class Arrays : public Sink {
 public:
  Arrays(const std::string& name, const std::string& format, const std::vector<TensorInfo>& layers, char separator)
      : file_(name,
              format == "npy"   ? FeatureFormat::npy
              : format == "npz" ? FeatureFormat::npz
                                : FeatureFormat::safetensors,
              layers, separator) {}

  void record(const FeatureRecord& record) override {
    if (!record.error) file_.append(record.path, record.values);
  }
  void finish() override { file_.finish(); }
  bool to_standard_output() const override { return false; }
  bool shows_failures() const override { return false; }

 private:
  FeatureFile file_;
};

std::unique_ptr<Sink> open_sink(const Arguments& arguments, const std::string& format, const std::vector<TensorInfo>& layers) {
  const std::string name = arguments.text("output");
  if (format == "jsonl") return std::make_unique<JsonLines>(name, layers);
  if (format == "csv") return std::make_unique<Csv>(name, layers);
  return std::make_unique<Arrays>(name, format, layers, arguments.has("null") ? '\0' : '\n');
}

void check_combination(const Arguments& arguments, const std::string& format, const std::vector<std::string>& layers) {
  need_pictures(arguments);
  if (layers.empty())
    throw Error(ErrorKind::usage, "--layer", "is needed", "name layers as alexnet inspect lists them: --layer fc7");
  if (format == "npy" && layers.size() > 1) {
    throw Error(ErrorKind::usage, "--format", "npy holds one layer", "npz and safetensors hold several");
  }
  if (arguments.text("output") == "-" && format != "jsonl" && format != "csv") {
    throw Error(ErrorKind::usage, "--format", fmt::format("{} needs a file", format),
                "give it with -o FILE; allowed on standard output: jsonl, csv");
  }
}

}  // namespace

int features(const Arguments& arguments) {
  const std::string format = format_for(arguments);
  const auto layers = layer_names(arguments);
  check_combination(arguments, format, layers);

  const Model model = load_model(arguments);
  const auto network = compiled(arguments, [&](const CompileOptions& options) {
    NamedNetwork named = compile_named(model, layers, options);
    check_takes_pictures(*named.network, model.preprocessing);
    return named;
  });
  const auto sink = open_sink(arguments, format, network.outputs);

  ProgressBar progress(terminal_of(STDERR_FILENO, arguments.text("color")), arguments.has("quiet"),
                       [&] { return count_pictures(arguments.operands(), source_options(arguments)); });
  std::uint64_t done = 0;
  std::uint64_t failed = 0;

  PictureSource pictures(arguments.operands(), source_options(arguments));
  const NextPicture source = [&](PictureInput& input, bool wait) { return pictures.next(input, wait); };
  const PictureBatchOptions options{
      .batch = arguments.has("batch") ? static_cast<int>(arguments.integer("batch")) : PictureBatchOptions{}.batch,
      .decode = decode_options(arguments),
      .stop = &interruption(),
  };
  const auto totals = features(network, model.preprocessing, source, options, [&](const FeatureRecord& record) {
    if (sink->to_standard_output() || !record.notes.empty() || record.error) progress.hide();
    for (const auto& note : record.notes) log(LogLevel::debug, fmt::format("{}: {}", printable(record.path), note));
    if (record.error && !sink->shows_failures()) report(*record.error);
    sink->record(record);
    if (record.error) ++failed;
    progress.update(++done, failed);
  });
  progress.hide();
  end_if_interrupted();
  sink->finish();
  return failures(totals.failed, totals.pictures, totals.resources_ran_out);
}

}  // namespace alexnet::cli
