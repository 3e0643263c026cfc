// Turns the trained checkpoint into the default model: tools/make_default_model.sh builds and calls this program.
//
// make_default_model CHECKPOINT.npz LABELS ARCHITECTURE.json PICTURE VALIDATION CARD OUT
//   PICTURE     becomes the golden input, shrunk
//   VALIDATION  a folder of folders, each named by a class id, of pictures: accuracy before and after quantising
//   CARD        the model card's text, with places for the figures
//   OUT         writes OUT.safetensors, and its card OUT.md
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "formats/label_list.h"
#include "formats/npz.h"
#include "image/decode.h"
#include "model/accuracy.h"
#include "model/architecture.h"
#include "model/lrn_source.h"
#include "model/model_file.h"
#include "model/ranges.h"
#include "runtime/network.h"
#include "tasks/calibrate.h"
#include "tasks/named_network.h"

namespace fs = std::filesystem;

namespace alexnet {
namespace {

// More than this in points of top-1 and the model is not written: by storing weights in int8, and by computing in a precision.
constexpr double kMaxLoss = 0.5;
const std::map<std::string, double> kMaxLossIn{{"bf16", 0.2}, {"int8", 0.5}};
constexpr int kGoldenShorterSide = 96;

struct Arguments {
  fs::path checkpoint;
  fs::path labels;
  fs::path architecture;
  fs::path picture;
  fs::path validation;
  fs::path card;
  fs::path out;
};

Image load(const fs::path& path) { return decode(read_file(path), {}, path.string()).image; }

// The checkpoint as it is: its names are ours.
Model read_checkpoint(const Arguments& arguments) {
  const Architecture architecture = read_architecture(arguments.architecture);
  Model model;
  model.labels = read_label_list(arguments.labels);
  model.graph = with_classes(architecture.graph, static_cast<std::int64_t>(model.labels.size()));
  model.preprocessing = architecture.preprocessing;
  for (const auto& [name, tensor] : read_npz(arguments.checkpoint)) {
    Weight weight = Weight::of(tensor.type() == ElementType::f16 ? tensor : widened(tensor));
    if (tensor.type() == ElementType::f16) weight.storage = Storage::f16;
    model.weights.emplace(name, std::move(weight));
  }
  check(model, arguments.checkpoint.string());
  check_finite(model.weights, arguments.checkpoint.string());
  return model;
}

// Linear layers become sparse int8; convolutions, which are a seventh of the bytes then, stay as the checkpoint has them.
Model quantised(Model model) {
  for (const auto& parameter : parameters(model.graph)) {
    Weight& weight = model.weights.at(parameter.name);
    const bool linear = std::holds_alternative<Linear>(find(model.graph, parameter.layer)->layer);
    if (weight.shape.rank() < 2) {
      weight = Weight::of(widened(weight));
    } else if (linear) {
      weight = stored(widened(weight), Storage::int8_sparse);
    }
  }
  return model;
}

// Ranges come from one picture of each class.
Ranges ranges_of(const Model& model, const std::vector<LabelledPicture>& pictures) {
  std::vector<std::string> first;
  for (std::size_t target = 0; target < model.labels.size(); ++target)
    first.push_back(std::ranges::find(pictures, target, &LabelledPicture::target)->path);
  Ranges ranges = measured_ranges(model, first, {});
  ranges.data = "of Tiny-ImageNet's validation set, one a class";
  return ranges;
}

Accuracy measured(const Model& source, const Model& model, const std::vector<LabelledPicture>& pictures) {
  Accuracy accuracy = measured_accuracy(model, pictures, {});
  accuracy.data = fmt::format("{} pictures of Tiny-ImageNet's validation set, {} a class", pictures.size(),
                              pictures.size() / model.labels.size());
  accuracy.command = "tools/make_default_model.sh";
  accuracy.source = measured_accuracy(source, pictures, {.precisions = {}}).precisions.at("f32");
  return accuracy;
}

Golden golden(const Model& model, const fs::path& picture) {
  const Image whole = load(picture);
  const int shorter = std::min(whole.width, whole.height);
  const Image small = resize(whole, whole.width * kGoldenShorterSide / shorter, whole.height * kGoldenShorterSide / shorter);
  const auto network = compile_for_scores(model, {}).network;
  Session session(network);
  const Tensor data = preprocess(model.preprocessing, small);
  std::vector<float> logits(static_cast<std::size_t>(network->outputs().front().shape.elements()));
  session.run(1, std::array{data.values<float>()}, std::array{std::span<float>(logits)});
  return {.input = Tensor::of<std::uint8_t>({small.height, small.width, 3}, small.pixels),
          .logits = Tensor::of<float>({static_cast<std::int64_t>(logits.size())}, logits)};
}

std::string provenance(const Arguments& arguments) {
  Json json{{"source", {{"name", arguments.checkpoint.filename().string()}, {"sha256", sha256(read_file(arguments.checkpoint))}}},
            {"made_by", fmt::format("tools/make_default_model.sh of alexnet {}", ALEXNET_VERSION)},
            {"choices",
             {{"storage",
               "convolutions as the source's f16; linear layers quantised to int8 with a scale a row, zeros left out; biases f32"},
              {"lrn", "pytorch"},
              {"channels", "rgb"},
              {"flatten", "chw"},
              {"folded", "batch normalisation into the convolutions, by training"}}},
            {"golden", {{"picture", arguments.picture.filename().string()}, {"shorter_side", kGoldenShorterSide}}},
            {"licence", "see models/alexnet-tiny200.md"}};
  return json.dump();
}

// The checkpoint comes from PyTorch, whose convention is ours for odd windows.
LrnSources lrn_sources(const Graph& graph) {
  LrnSources sources;
  for (const auto& node : graph.nodes) {
    if (const auto* layer = std::get_if<Lrn>(&node.layer)) sources.emplace(node.name, *lrn::in_words_of(lrn::PyTorch{}, *layer));
  }
  return sources;
}

std::string storage_table(const Model& model) {
  std::string text = "| weight | shape | stored as | not zero | bytes |\n|---|---|---|---|---|\n";
  for (const auto& parameter : parameters(model.graph)) {
    if (parameter.shape.rank() < 2) continue;
    const Weight& weight = model.weights.at(parameter.name);
    const Tensor wide = widened(weight);
    const auto values = wide.values<float>();
    const auto zeros = std::ranges::count(values, 0.0f);
    text += fmt::format("| `{}` | {} | {} | {:.1f} % | {} |\n", parameter.name, to_string(parameter.shape), name(weight.storage),
                        100.0 - 100.0 * static_cast<double>(zeros) / static_cast<double>(values.size()), byte_count(weight));
  }
  return text;
}

std::string accuracy_table(const Accuracy& accuracy) {
  std::string text =
      "| weights, computed in | top-1 | top-5 | right and not in f32 | wrong and not in f32 |\n|---|---|---|---|---|\n";
  const auto row = [&](const std::string& what, const TopShares& shares) {
    const auto count = [](const auto& pictures) { return pictures ? fmt::format("{}", *pictures) : ""; };
    text += fmt::format("| {} | {:.2f} % | {:.2f} % | {} | {} |\n", what, shares.top1, shares.top5, count(shares.better),
                        count(shares.worse));
  };
  row("checkpoint (f16), f32", *accuracy.source);
  for (const auto& [precision, shares] : accuracy.precisions) row(fmt::format("this file, {}", precision), shares);
  return text;
}

void write_card(const Arguments& arguments, const Model& model, const Accuracy& accuracy) {
  const auto bytes = fs::file_size(fs::path(arguments.out) += ".safetensors");
  const std::map<std::string, std::string> figures{
      {"@STORAGE@", storage_table(model)},
      {"@ACCURACY@", accuracy_table(accuracy)},
      {"@PICTURES@", accuracy.data},
      {"@BYTES@", fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6)},
      {"@CLASSES@", fmt::format("{}", model.labels.size())},
      {"@SOURCE@",
       fmt::format("`{}`, SHA-256 `{}`", arguments.checkpoint.filename().string(), sha256(read_file(arguments.checkpoint)))}};
  const auto raw = read_file(arguments.card);
  std::string text(reinterpret_cast<const char*>(raw.data()), raw.size());
  for (const auto& [mark, figure] : figures) {
    auto at = text.find(mark);
    if (at == std::string::npos) throw Error(ErrorKind::usage, arguments.card.string(), fmt::format("has no place for {}", mark));
    for (; at != std::string::npos; at = text.find(mark, at + figure.size())) text.replace(at, mark.size(), figure);
  }
  AtomicFile file(fs::path(arguments.out) += ".md");
  file.write(text);
  file.commit();
}

void make(const Arguments& arguments) {
  const Model source = read_checkpoint(arguments);
  Model model = quantised(source);
  const auto pictures = labelled_pictures(arguments.validation, model.labels);
  if (!pictures) throw Error(ErrorKind::usage, arguments.validation.string(), "is no folder of folders named by classes");
  model.ranges = to_json(ranges_of(model, *pictures)).dump();
  const Accuracy accuracy = measured(source, model, *pictures);
  std::cout << accuracy_table(accuracy);
  const double lost = accuracy.source->top1 - accuracy.precisions.at("f32").top1;
  if (lost > kMaxLoss) {
    throw Error(ErrorKind::disagreement, arguments.checkpoint.string(),
                fmt::format("quantising costs {:.2f} points of top-1, more than {}", lost, kMaxLoss));
  }
  for (const auto& [precision, most] : kMaxLossIn) {
    const auto cost = top1_cost(accuracy, precision);
    if (!cost || *cost <= most) continue;
    throw Error(ErrorKind::disagreement, arguments.checkpoint.string(),
                fmt::format("{} costs {:.2f} points of top-1, more than {}", precision, *cost, most));
  }
  model.accuracy = to_json(accuracy).dump();
  model.provenance = provenance(arguments);
  model.lrn_source = to_json(lrn_sources(model.graph)).dump();
  model.golden = golden(model, arguments.picture);
  write_model(model, fs::path(arguments.out) += ".safetensors");
  write_card(arguments, model, accuracy);
}

}  // namespace
}  // namespace alexnet

int main(int argc, char** argv) {
  if (argc != 8) {
    std::cerr << "usage: make_default_model CHECKPOINT.npz LABELS ARCHITECTURE.json PICTURE VALIDATION CARD OUT\n";
    return 2;
  }
  try {
    alexnet::make({argv[1], argv[2], argv[3], argv[4], argv[5], argv[6], argv[7]});
    return 0;
  } catch (const alexnet::Error& error) {
    std::cerr << "make_default_model: " << error.what() << '\n';
    return 1;
  }
}
