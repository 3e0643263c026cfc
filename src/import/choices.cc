#include "import/choices.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/located.h"
#include "base/text.h"
#include "import/known_structure.h"

namespace alexnet {
namespace {

[[noreturn]] void refuse(const char* option, std::string message, std::string hint = {}) {
  throw Error(ErrorKind::usage, option, std::move(message), std::move(hint));
}

bool holds_structure(SourceKind kind) {
  return kind == SourceKind::model_file || kind == SourceKind::onnx || kind == SourceKind::caffe_network;
}

void refuse_settled(const Source& source, const SourceOptions& options) {
  if (!holds_structure(source.kind)) return;
  const auto& checkpoint = options.state_dict;
  const std::array<std::pair<const char*, bool>, 4> given{{{"--arch", checkpoint.architecture.has_value()},
                                                           {"--key", !checkpoint.key.empty()},
                                                           {"--lrn", checkpoint.lrn.has_value()},
                                                           {"--flatten", checkpoint.flatten != FlattenOrder::chw}}};
  for (const auto& [option, is_given] : given) {
    if (is_given)
      refuse(option, fmt::format("settles what {} says itself", name(source.kind)), "it is for checkpoints without a structure");
  }
}

HeightWidth picture_size(const Graph& graph, const char* option) {
  const auto& input = graph.inputs.front();
  if (graph.inputs.size() != 1 || input.shape.rank() != 3 || input.shape[0] != 3) {
    refuse(option,
           fmt::format("the network takes {} as {}, not one picture of three channels", to_string(input.shape), shown(input.name)));
  }
  return {input.shape[1], input.shape[2]};
}

void choose_preprocessing(Source& source, const SourceOptions& options) {
  Imported& imported = source.imported;
  Model& model = imported.model;
  if (!options.preset.empty()) {
    const auto size = picture_size(model.graph, "--preprocess");
    model.preprocessing = located("--preprocess", [&] { return preprocess_preset(options.preset, size, options.mean); });
    imported.choices.emplace_back("preprocess", options.preset);
  } else if (options.preprocessing) {
    model.preprocessing = *options.preprocessing;
    imported.choices.emplace_back("preprocess", "steps of the user");
  }
  if (model.preprocessing.steps.empty() && source.kind == SourceKind::onnx) {
    if (const auto known = known_structure(model.graph)) {
      model.preprocessing = architecture(known->architecture).preprocessing;
      imported.choices.emplace_back("preprocess", fmt::format("that of {}, whose structure this is", known->architecture));
    }
  }
  const bool has_mean = options.mean.image || options.mean.values;
  if (has_mean && options.preset.empty() && !options.preprocessing && source.kind != SourceKind::caffe_network) {
    refuse("--mean", "needs to be told what else is done to pictures", "--preprocess caffe or tensorflow");
  }
  if (has_mean) imported.choices.emplace_back("mean", options.mean.image ? "a mean picture" : "given for each channel");
  if (!options.channels) return;
  if (model.preprocessing.steps.empty()) {
    refuse("--channels", "needs to be told what else is done to pictures", "--preprocess says it");
  }
  model.preprocessing = with_channels(std::move(model.preprocessing), *options.channels);
  imported.choices.emplace_back("channels", *options.channels == ChannelOrder::bgr ? "bgr" : "rgb");
}

}  // namespace

void apply_choices(Source& source, const SourceOptions& options) {
  refuse_settled(source, options);
  choose_preprocessing(source, options);
  check(source.imported.model, source.files.front().string());
}

}  // namespace alexnet
