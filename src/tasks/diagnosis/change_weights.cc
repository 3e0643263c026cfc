#include <optional>
#include <utility>

#include <fmt/format.h>

#include "image/preprocess_presets.h"
#include "passes/fold_preprocessing.h"
#include "passes/linear_node.h"
#include "tasks/diagnosis/edit.h"

namespace alexnet::suspect {
namespace {

// The convolutions of the network, each with the shape of what it reads.
struct ConvolutionAt {
  std::string name;
  Convolution layer;
  Shape input;
  std::vector<std::string> inputs;
};

std::vector<ConvolutionAt> convolutions(const Model& model) {
  const auto shapes = infer_shapes(model.graph, 1);
  std::vector<ConvolutionAt> result;
  for (const Node& node : model.graph.nodes) {
    if (const auto* layer = std::get_if<Convolution>(&node.layer))
      result.push_back({node.name, *layer, shapes.at(node.inputs[0]), node.inputs});
  }
  return result;
}

bool edit_weight(Model& model, EditedWeights& edits, const std::string& weight, const std::string& edit,
                 const std::function<Tensor(const Tensor&)>& change) {
  const auto found = model.weights.find(weight);
  if (found == model.weights.end()) return false;
  found->second = edits.edited(found->second, edit, change);
  return true;
}

Tensor channels_reversed(const Tensor& weight) {
  const Shape& shape = weight.shape();
  const std::int64_t taps = shape[2] * shape[3];
  return rearranged(weight, [&](std::int64_t i) {
    const std::int64_t channel = i / taps % shape[1];
    return i + (shape[1] - 1 - 2 * channel) * taps;
  });
}

Tensor flipped(const Tensor& weight) {
  const std::int64_t taps = weight.shape()[2] * weight.shape()[3];
  return rearranged(weight, [&](std::int64_t i) { return i - i % taps + taps - 1 - i % taps; });
}

// Rows of a linear layer over (channels, pixels), with the entries of each in another order.
Tensor to_channels_last(const Tensor& weight, std::int64_t channels, std::int64_t pixels) {
  const std::int64_t features = channels * pixels;
  return rearranged(weight, [&](std::int64_t i) {
    const std::int64_t at = i % features;
    return i - at + at % pixels * channels + at / pixels;
  });
}

// The flatten that a layer reads, with nothing but dropouts and factors between them.
const Node* flatten_before(const Model& model, const Node& node) {
  const Node* before = find(model.graph, node.inputs[0]);
  while (before != nullptr && (std::holds_alternative<Dropout>(before->layer) || std::holds_alternative<Scale>(before->layer)))
    before = find(model.graph, before->inputs[0]);
  return before != nullptr && std::holds_alternative<Flatten>(before->layer) ? before : nullptr;
}

}  // namespace

std::vector<Change> first_channels(const Model& model, EditedWeights& edits) {
  std::vector<Change> changes;
  for (const auto& at : convolutions(model)) {
    const bool reads_pictures = std::ranges::find(model.graph.inputs, at.inputs[0], &GraphInput::name) != model.graph.inputs.end();
    if (!reads_pictures || at.input[1] != 3 || at.layer.groups != 1) continue;
    changes.push_back(
        {.suspect = "first_channels",
         .variant = "reversed",
         .layer = at.name,
         .finding = "reads its three channels in the other order (BGR for RGB, RGB for BGR)",
         .advice = fmt::format("reverse axis 1 of {}.weight, or feed pictures in the other order (convert --channels)", at.name),
         .apply = [&edits, weight = at.name + ".weight"](Model& m) {
           return edit_weight(m, edits, weight, "channels reversed", channels_reversed);
         }});
  }
  return changes;
}

// The weights are computed once, so that all variants with this change share them.
std::vector<Change> folded_preprocessing(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  for (const auto& at : convolutions(model)) {
    if (at.inputs[0] != model.graph.inputs[0].name || at.input[1] != 3 || at.layer.padding != Padding4{}) continue;
    const auto add = [&](const std::string& variant, const ChannelAffine& affine, const std::string& finding,
                         const std::string& advice) {
      auto weights = preceded_by(weights_of(model, at.name), affine, at.layer.groups);
      if (!weights) return;
      changes.push_back({.suspect = "folded_preprocessing",
                         .variant = variant,
                         .layer = at.name,
                         .finding = finding,
                         .advice = advice,
                         .apply = [name = at.name, made = std::move(*weights)](Model& m) {
                           if (layer_as<Convolution>(m, name) == nullptr) return false;
                           layer_as<Convolution>(m, name)->bias = true;
                           set_weights(m, name, made);
                           return true;
                         }});
    };
    if (const auto ours = ending_affine(model.preprocessing.steps)) {
      add("in the reference", *ours, "has the end of our preprocessing folded into its weights, and reads pixels as they are",
          "convert --fold-preprocessing, for a model that does the same");
      continue;
    }
    for (const auto& preset : preprocess_preset_names()) {
      auto affine = ending_affine(preprocess_preset(preset, {at.input[2], at.input[3]}).steps).value();
      for (std::size_t c = 0; c < affine.scale.size(); ++c) {
        affine.scale[c] = 1 / affine.scale[c];
        affine.shift[c] *= -affine.scale[c];
      }
      add(preset, affine,
          fmt::format("reads what the mean and scale of {} make of pictures, which our weights have folded in", preset),
          "compare the model as it was before convert --fold-preprocessing: what it reads is another input");
    }
  }
  return changes;
}

std::vector<Change> flipped_kernels(const Model& model, EditedWeights& edits) {
  std::vector<Change> changes;
  for (const auto& at : convolutions(model)) {
    if (at.layer.kernel[0] * at.layer.kernel[1] == 1) continue;
    changes.push_back(
        {.suspect = "flipped_kernels",
         .variant = "flipped",
         .layer = at.name,
         .finding = "turns its kernels around (a convolution, where ours is a cross-correlation)",
         .advice = fmt::format("flip axes 2 and 3 of {}.weight in the source", at.name),
         .apply = [&edits, weight = at.name + ".weight"](Model& m) { return edit_weight(m, edits, weight, "flipped", flipped); }});
  }
  return changes;
}

std::vector<Change> flatten_order(const Model& model, EditedWeights& edits) {
  std::vector<Change> changes;
  const auto shapes = infer_shapes(model.graph, 1);
  const std::string other = "flattens maps in the other order (height, width, channel)";
  for (const Node& node : model.graph.nodes) {
    if (std::holds_alternative<Flatten>(node.layer) && shapes.at(node.inputs[0]).rank() == 4) {
      changes.push_back({.suspect = "flatten_order",
                         .variant = "values",
                         .layer = node.name,
                         .finding = other,
                         .advice = "convert --flatten hwc",
                         .apply = [name = node.name](Model& m) {
                           return precede_by(m, name, Transpose{{0, 2, 3, 1}});
                         }});
    }
    if (!std::holds_alternative<Linear>(node.layer)) continue;
    const Node* flatten = flatten_before(model, node);
    if (flatten == nullptr || shapes.at(flatten->inputs[0]).rank() != 4) continue;
    const Shape maps = shapes.at(flatten->inputs[0]);
    const std::int64_t pixels = maps[2] * maps[3];
    for (const bool to_last : {false, true}) {
      // Either permutation undoes the other.
      const std::int64_t channels = to_last ? pixels : maps[1];
      const std::int64_t rest = to_last ? maps[1] : pixels;
      changes.push_back({.suspect = "flatten_order",
                         .variant = to_last ? "weights to hwc" : "weights from hwc",
                         .layer = node.name,
                         .finding = "has weights for maps flattened in the other order",
                         .advice = to_last ? "convert --flatten chw" : "convert --flatten hwc",
                         .apply = [&edits, weight = node.name + ".weight", channels, rest, to_last](Model& m) {
                           return edit_weight(m, edits, weight, to_last ? "to hwc" : "from hwc",
                                              [&](const Tensor& w) { return to_channels_last(w, channels, rest); });
                         }});
    }
  }
  return changes;
}

std::vector<Change> group_halves(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  for (const auto& at : convolutions(model)) {
    if (at.layer.groups != 2) continue;
    const auto add = [&](const std::string& variant, const std::string& finding, const std::string& advice,
                         const std::function<bool(Model&)>& apply) {
      changes.push_back(
          {.suspect = "group_halves", .variant = variant, .layer = at.name, .finding = finding, .advice = advice, .apply = apply});
    };
    const auto swap_inputs = [name = at.name, channels = at.input[1]](Model& m) {
      return precede_by_rotation(m, name, channels / 2, channels);
    };
    const auto swap_outputs = [name = at.name, channels = at.layer.out_channels](Model& m) {
      return follow_by_rotation(m, name, channels / 2, channels);
    };
    add("inputs", "feeds each group the other half of the channels",
        fmt::format("swap the halves along axis 0 of {0}.weight and {0}.bias, and those of what {0} makes", at.name), swap_inputs);
    add("outputs", "has its two groups' outputs in the other order",
        fmt::format("swap the halves of the channels behind {}: its towers were joined the wrong way round", at.name),
        swap_outputs);
    add("weights", "has its two groups' weights the other way round",
        fmt::format("swap the halves along axis 0 of {0}.weight and {0}.bias in the source", at.name),
        [=](Model& m) { return swap_inputs(m) && swap_outputs(m); });
  }
  return changes;
}

}  // namespace alexnet::suspect
