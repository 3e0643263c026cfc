#include "passes/fold_preprocessing.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "passes/linear_node.h"

namespace alexnet {
namespace {

constexpr std::size_t kChannels = 3;

[[noreturn]] void refuse(const std::string& why, const std::string& hint = {}) {
  throw Error(ErrorKind::model, "preprocessing", "can't be folded: " + why, hint);
}

std::optional<ChannelAffine> as_affine(const Step& step) {
  ChannelAffine affine{std::vector<double>(kChannels, 1), std::vector<double>(kChannels, 0)};
  if (const auto* divide = std::get_if<Divide>(&step)) {
    for (auto& scale : affine.scale) scale /= divide->by;
    return affine;
  }
  if (const auto* normalize = std::get_if<Normalize>(&step)) {
    for (std::size_t c = 0; c < kChannels; ++c) {
      affine.scale[c] /= normalize->std[c];
      affine.shift[c] = -normalize->mean[c] / normalize->std[c];
    }
    return affine;
  }
  return std::nullopt;
}

std::string_view name(const Step& step) {
  return std::visit([](const auto& one) { return one.kKind; }, step);
}

// The steps from `first` on, all in one.
struct Ending {
  std::ptrdiff_t first;
  ChannelAffine affine;
  std::vector<std::string> names;
};

std::optional<Ending> ending_of(const std::vector<Step>& steps) {
  std::optional<ChannelAffine> all;
  auto first = steps.end();
  std::vector<std::string> names;
  while (first != steps.begin()) {
    const auto affine = as_affine(*(first - 1));
    if (!affine) break;
    --first;
    all = all ? in_turn(*affine, *all) : affine;
    names.insert(names.begin(), std::string(name(*first)));
  }
  if (!all) return std::nullopt;
  return Ending{first - steps.begin(), std::move(*all), std::move(names)};
}

std::string reader_of_pictures(const Graph& graph) {
  if (graph.inputs.size() != 1) refuse(fmt::format("the network has {} inputs", graph.inputs.size()));
  const auto& [input, shape] = graph.inputs.front();
  if (shape.rank() != 3 || shape[0] != static_cast<std::int64_t>(kChannels))
    refuse(fmt::format("{} is {}, no picture of {} channels", shown(input), to_string(shape), kChannels));
  const auto readers = consumers(graph, input);
  if (readers.size() != 1 || std::ranges::count(graph.outputs, input) != 0)
    refuse(fmt::format("{} is read by more than one layer, or is an output", shown(input)));
  const Node& reader = *readers.front();
  const auto* convolution = std::get_if<Convolution>(&reader.layer);
  const std::string described = fmt::format("{} {}", kind(reader.layer), shown(reader.name));
  if (convolution == nullptr) refuse(fmt::format("{} reads {}, and only a convolution can take it over", described, shown(input)));
  if (convolution->padding != Padding4{}) {
    refuse(fmt::format("{} pads with zeros, which mean the mean colour: the folded one would pad with black", described),
           "leave out --fold-preprocessing");
  }
  return reader.name;
}

}  // namespace

FoldedPreprocessing fold_preprocessing(Model model) {
  auto& steps = model.preprocessing.steps;
  if (steps.empty()) refuse("it is not known what is done to pictures", "--preprocess says it");
  const auto ending = ending_of(steps);
  if (!ending) refuse(fmt::format("the last step, {}, is no scale and shift of each channel", name(steps.back())));
  const std::string layer = reader_of_pictures(model.graph);
  const auto linear = linear_node(find(model.graph, layer));
  auto weights = preceded_by(weights_of(model, layer), ending->affine, linear->groups);
  if (!weights) {
    refuse(fmt::format("the weights of {} are int8, with a scale a row, or would overflow", shown(layer)),
           "convert the source that has them in f32 or f16");
  }
  *linear->bias = true;
  set_weights(model, layer, std::move(*weights));
  steps.erase(steps.begin() + ending->first, steps.end());
  // No steps at all would mean that they are not known.
  if (steps.empty()) steps.emplace_back(Channels{});
  std::string note = fmt::format("folded preprocessing's {} into convolution {}", join(ending->names, " and "), shown(layer));
  return {.model = std::move(model), .layer = layer, .note = std::move(note)};
}

std::optional<ChannelAffine> ending_affine(const std::vector<Step>& steps) {
  auto ending = ending_of(steps);
  if (!ending) return std::nullopt;
  return std::move(ending->affine);
}

}  // namespace alexnet
