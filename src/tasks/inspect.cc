#include "tasks/inspect.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"
#include "image/preprocess.h"
#include "tasks/named_network.h"

namespace alexnet {
namespace {

std::string parameters_text(const Layer& layer) {
  std::string text;
  const Json json = to_json(layer);
  for (const auto& [key, value] : json.items()) {
    if (key == "kind") continue;
    if (!text.empty()) text += ' ';
    text += fmt::format("{}={}", key, value.dump());
  }
  return text;
}

Image picture_of(const Tensor& hwc) {
  Image image{.width = static_cast<int>(hwc.shape()[1]), .height = static_cast<int>(hwc.shape()[0]), .pixels = {}};
  const auto values = hwc.values<std::uint8_t>();
  image.pixels.assign(values.begin(), values.end());
  return image;
}

// f32: the bound that networks are held to against the reference. bf16 keeps 8 bits of a number and int8 7, and errors add up
// over eight layers about as the square root of their count.
double tolerance_of(Precision precision) {
  switch (precision) {
    case Precision::bf16: return 2e-2;
    case Precision::int8: return 5e-2;
    case Precision::automatic:
    case Precision::f32: return 1e-5;
  }
  return 1e-5;
}

}  // namespace

Inspection inspect(const Model& model) {
  Inspection result;
  for (const auto& input : model.graph.inputs) result.inputs.push_back({input.name, input.shape});
  result.outputs = model.graph.outputs;
  const auto shapes = infer_shapes(model.graph, /*batch=*/1);
  for (const Node& node : model.graph.nodes) {
    LayerRow row;
    row.name = node.name;
    row.kind = kind(node.layer);
    row.parameters = parameters_text(node.layer);
    row.inputs = node.inputs;
    row.output = shapes.at(node.name).without_batch();
    for (const Parameter& parameter : parameters(node.layer, input_shapes(node, shapes))) {
      row.parameter_count += parameter.shape.elements();
      if (parameter.name != "weight") continue;
      // Every weight is used once for each position of the output's channel.
      row.multiply_adds = parameter.shape.elements() * (row.output.elements() / row.output[0]);
      if (const auto weight = model.weights.find(node.name + ".weight"); weight != model.weights.end())
        row.storage = name(weight->second.storage);
    }
    result.parameter_count += row.parameter_count;
    result.multiply_adds += row.multiply_adds;
    result.layers.push_back(std::move(row));
  }
  for (const auto& [name_of_weight, weight] : model.weights) {
    result.tensors.push_back({name_of_weight, weight.shape, std::string(name(weight.storage)), byte_count(weight)});
    result.weight_bytes += byte_count(weight);
  }
  return result;
}

GoldenCheck check_golden(const Model& model, const CompileOptions& options) {
  if (!model.golden) throw Error(ErrorKind::model, "", "the model has no golden picture to check against");
  const auto network = compile_for_scores(model, options).network;
  const Tensor input = preprocess(model.preprocessing, picture_of(model.golden->input));
  const auto wanted = model.golden->logits.values<float>();
  std::vector<float> found(static_cast<std::size_t>(network->outputs().front().shape.elements()));
  if (found.size() != wanted.size()) {
    throw Error(ErrorKind::model, "", fmt::format("the model has {} golden logits for {} classes", wanted.size(), found.size()));
  }
  const std::span<const float> source = input.values<float>();
  const std::span<float> destination = found;
  Session(network).run(1, {&source, 1}, {&destination, 1});
  GoldenCheck check{.tolerance = tolerance_of(options.precision)};
  bool finite = true;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    check.largest_difference = std::max(check.largest_difference, std::abs(static_cast<double>(found[i]) - wanted[i]));
    check.largest_logit = std::max(check.largest_logit, std::abs(static_cast<double>(wanted[i])));
    finite = finite && std::isfinite(found[i]);
  }
  check.agrees = finite && check.largest_difference <= check.tolerance * check.largest_logit;
  return check;
}

}  // namespace alexnet
