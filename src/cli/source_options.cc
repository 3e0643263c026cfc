#include "cli/source_options.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/located.h"
#include "base/text.h"
#include "formats/bytes.h"
#include "formats/caffe.h"
#include "formats/npy.h"
#include "model/imagenet_labels.h"

namespace alexnet::cli {
namespace {

constexpr std::string_view kNpyStart = "\x93NUMPY";

bool is_one_of(const std::string& text, const std::vector<std::string>& names) {
  return std::ranges::find(names, text) != names.end();
}

// What is neither a known name nor a file is a misspelling of one or the other.
void require_file(const char* option, const std::string& text, const std::vector<std::string>& names) {
  std::error_code ignored;
  if (std::filesystem::exists(text, ignored)) return;
  const auto near = nearest(text, names);
  throw Error(ErrorKind::usage, option, fmt::format("{} is neither a known name nor a file", shown(text)),
              near ? fmt::format("did you mean {}?", *near) : fmt::format("known: {}", join(names, ", ")));
}

Architecture architecture_of(const std::string& text) {
  const auto names = architecture_names();
  if (is_one_of(text, names)) return architecture(text);
  require_file("--arch", text, names);
  return read_architecture(text);
}

// The value between commas.
std::optional<std::array<double, 3>> three_numbers(const std::string& text) {
  const auto parts = split(text, ',');
  if (parts.size() != 3) return std::nullopt;
  std::array<double, 3> values{};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto number = parse_number(trim(parts[i]));
    if (!number) return std::nullopt;
    values[i] = *number;
  }
  return values;
}

PictureMean mean_of(const std::string& text) {
  if (const auto values = three_numbers(text)) return {.image = {}, .values = values};
  std::error_code ignored;
  if (!std::filesystem::exists(text, ignored)) {
    throw Error(ErrorKind::usage, "--mean", fmt::format("{} is neither three numbers nor a file", shown(text)),
                "allowed: FILE.binaryproto, FILE.npy or V,V,V");
  }
  const auto file = MappedFile::open(text);
  if (!as_text(file->bytes()).starts_with(kNpyStart)) return {.image = read_binaryproto(file->bytes(), file, text), .values = {}};
  const Tensor mean = widened(read_npy(file->bytes(), file, text));
  if (mean.shape() == Shape{3}) {
    const auto values = mean.values<float>();
    return {.image = {}, .values = std::array<double, 3>{values[0], values[1], values[2]}};
  }
  if (mean.shape().rank() == 3 && mean.shape()[0] == 3) return {.image = mean, .values = {}};
  throw Error(ErrorKind::model, text, fmt::format("is {}, a mean must be 3 or 3 x height x width", to_string(mean.shape())));
}

Preprocessing preprocessing_in(const std::string& path, const PictureMean& mean) {
  const auto file = MappedFile::open(path);
  Preprocessing result = preprocessing_from_json(parse_json(as_text(file->bytes()), path), path);
  const auto steps = tensors(result);
  if (steps.empty() && (mean.image || mean.values)) {
    throw Error(ErrorKind::usage, "--mean", fmt::format("{} has no mean_image step", shown(path)),
                "its normalize step states numbers");
  }
  for (const auto& step : steps) {
    if (!mean.image) {
      throw Error(ErrorKind::model, path, fmt::format("reads the tensor {}, which a list of steps does not hold", shown(step.name)),
                  "--mean gives the picture of a mean_image step");
    }
    *step.tensor = *mean.image;
  }
  return result;
}

lrn::Source convention_named(const std::string& name) {
  return name == "paper"        ? lrn::Source(lrn::Paper{})
         : name == "caffe"      ? lrn::Source(lrn::Caffe{})
         : name == "tensorflow" ? lrn::Source(lrn::TensorFlow{})
         : name == "onnx"       ? lrn::Source(lrn::Onnx{})
                                : lrn::Source(lrn::PyTorch{});
}

}  // namespace

void add_preprocessing(const Arguments& arguments, SourceOptions& options) {
  if (!arguments.has("preprocess")) return;
  const std::string text = arguments.text("preprocess");
  const auto names = preprocess_preset_names();
  if (is_one_of(text, names)) {
    options.preset = text;
    return;
  }
  require_file("--preprocess", text, names);
  options.preprocessing = preprocessing_in(text, options.mean);
}

SourceOptions import_options(const Arguments& arguments) {
  SourceOptions options{.allow_nonfinite = arguments.has("allow-nonfinite")};
  auto& checkpoint = options.state_dict;
  if (arguments.has("arch")) checkpoint.architecture = architecture_of(arguments.text("arch"));
  checkpoint.key = arguments.text("key");
  if (arguments.has("lrn")) checkpoint.lrn = convention_named(arguments.text("lrn"));
  if (arguments.text("flatten") == "hwc") checkpoint.flatten = FlattenOrder::hwc;
  if (arguments.has("mean")) options.mean = mean_of(arguments.text("mean"));
  add_preprocessing(arguments, options);
  if (arguments.has("channels")) options.channels = arguments.text("channels") == "bgr" ? ChannelOrder::bgr : ChannelOrder::rgb;
  return options;
}

std::vector<Label> labels_of(const std::string& text) {
  if (text == "imagenet") return imagenet_labels();
  return read_label_list(text);
}

}  // namespace alexnet::cli
