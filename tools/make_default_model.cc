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
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
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
#include "runtime/network.h"

namespace fs = std::filesystem;

namespace alexnet {
namespace {

// More than this in points of top-1 and the model is not written.
constexpr double kMaxLoss = 0.5;
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

struct Picture {
  fs::path path;
  std::size_t target;
};

std::vector<Picture> pictures_in(const fs::path& folder, const std::vector<Label>& labels) {
  std::vector<Picture> pictures;
  for (std::size_t target = 0; target < labels.size(); ++target) {
    const fs::path of_class = folder / labels[target].id;
    if (!fs::is_directory(of_class)) throw Error(ErrorKind::usage, of_class.string(), "is no folder of pictures");
    for (const auto& entry : fs::directory_iterator(of_class)) pictures.push_back({entry.path(), target});
  }
  std::ranges::sort(pictures, {}, &Picture::path);
  return pictures;
}

// A network, and how often it was right.
struct Trial {
  std::string name;
  std::shared_ptr<const Network> network;
  std::vector<std::size_t> ranks;  // of the right class, for each picture
};

Trial trial(const std::string& name, const Model& model, Precision precision) {
  return {.name = name, .network = compile(model, {.precision = precision, .keep = {logits_name(model.graph)}}), .ranks = {}};
}

std::size_t output_at(const Network& network, const std::string& name) {
  const auto& outputs = network.outputs();
  return static_cast<std::size_t>(std::ranges::find(outputs, name, &TensorInfo::name) - outputs.begin());
}

// The logits of `batch` preprocessed pictures.
std::vector<float> run(const Network& network, Session& session, const std::string& logits, std::int64_t batch,
                       std::span<const float> data) {
  std::vector<std::vector<float>> results;
  for (const auto& output : network.outputs()) results.emplace_back(static_cast<std::size_t>(batch * output.shape.elements()));
  std::vector<std::span<float>> views(results.begin(), results.end());
  session.run(batch, std::array{data}, views);
  return results[output_at(network, logits)];
}

// How many scores are above the target's; of equal ones the first counts as the higher.
std::size_t rank_of(std::size_t target, std::span<const float> scores) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    rank += scores[i] > scores[target] || (scores[i] == scores[target] && i < target);
  }
  return rank;
}

void measure(const Model& model, const std::vector<Picture>& pictures, std::vector<Trial>& trials) {
  constexpr std::size_t kBatch = 16;
  const std::string logits = logits_name(model.graph);
  const auto elements = static_cast<std::size_t>(model.graph.inputs.front().shape.elements());
  const std::size_t classes = model.labels.size();
  std::vector<float> data(kBatch * elements);
  std::vector<Session> sessions;
  for (const auto& one : trials) sessions.emplace_back(one.network);
  for (std::size_t begin = 0; begin < pictures.size(); begin += kBatch) {
    const std::size_t batch = std::min(kBatch, pictures.size() - begin);
    for (std::size_t i = 0; i < batch; ++i) {
      preprocess_into(model.preprocessing, load(pictures[begin + i].path), std::span(data).subspan(i * elements, elements));
    }
    for (std::size_t t = 0; t < trials.size(); ++t) {
      const auto scores =
          run(*trials[t].network, sessions[t], logits, static_cast<std::int64_t>(batch), std::span(data).first(batch * elements));
      for (std::size_t i = 0; i < batch; ++i) {
        trials[t].ranks.push_back(rank_of(pictures[begin + i].target, std::span(scores).subspan(i * classes, classes)));
      }
    }
  }
}

TopShares shares(const std::vector<std::size_t>& ranks) {
  const auto below = [&](std::size_t limit) {
    const auto count = std::ranges::count_if(ranks, [&](std::size_t rank) { return rank < limit; });
    return 100.0 * static_cast<double>(count) / static_cast<double>(ranks.size());
  };
  return {.top1 = below(1), .top5 = below(5)};
}

Accuracy measured(const Arguments& arguments, const Model& source, const Model& model) {
  std::vector<Trial> trials{trial("source", source, Precision::f32)};
  for (const auto& [name, precision] : {std::pair("f32", Precision::f32), {"bf16", Precision::bf16}, {"int8", Precision::int8}}) {
    Trial one = trial(name, model, precision);
    // Where this processor, or this model, cannot be run so, f32 stands in: nothing to measure.
    if (one.network->plan().precision == name) trials.push_back(std::move(one));
  }
  const auto pictures = pictures_in(arguments.validation, model.labels);
  measure(model, pictures, trials);
  Accuracy accuracy{.data = fmt::format("{} pictures of Tiny-ImageNet's validation set, {} a class", pictures.size(),
                                        pictures.size() / model.labels.size()),
                    .pictures = static_cast<std::int64_t>(pictures.size()),
                    .command = "tools/make_default_model.sh",
                    .source = shares(trials.front().ranks),
                    .precisions = {}};
  for (std::size_t t = 1; t < trials.size(); ++t) accuracy.precisions[trials[t].name] = shares(trials[t].ranks);
  return accuracy;
}

Golden golden(const Model& model, const fs::path& picture) {
  const Image whole = load(picture);
  const int shorter = std::min(whole.width, whole.height);
  const Image small = resize(whole, whole.width * kGoldenShorterSide / shorter, whole.height * kGoldenShorterSide / shorter);
  const Trial one = trial("golden", model, Precision::f32);
  Session session(one.network);
  const Tensor data = preprocess(model.preprocessing, small);
  const auto logits = run(*one.network, session, logits_name(model.graph), 1, data.values<float>());
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
  std::string text = "| weights, computed in | top-1 | top-5 |\n|---|---|---|\n";
  const auto row = [&](const std::string& what, const TopShares& shares) {
    text += fmt::format("| {} | {:.2f} % | {:.2f} % |\n", what, shares.top1, shares.top5);
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
  const Accuracy accuracy = measured(arguments, source, model);
  std::cout << accuracy_table(accuracy);
  const double lost = accuracy.source->top1 - accuracy.precisions.at("f32").top1;
  if (lost > kMaxLoss) {
    throw Error(ErrorKind::disagreement, arguments.checkpoint.string(),
                fmt::format("quantising costs {:.2f} points of top-1, more than {}", lost, kMaxLoss));
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
