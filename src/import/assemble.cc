#include "import/assemble.h"

#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "import/parameter_names.h"
#include "tensor/weight_forms.h"

namespace alexnet {
namespace {

struct Made {
  Tensor tensor;
  std::vector<std::string> done;
};

// The maps that the layer reads flattened, as (C, H, W) of one sample; nothing if it reads something else.
std::optional<Shape> flattened_maps(const Graph& graph, const Node& node, const std::map<std::string, Shape>& shapes) {
  const Node* source = &node;
  do {
    source = find(graph, source->inputs.front());
  } while (source != nullptr && std::holds_alternative<Dropout>(source->layer));
  if (source == nullptr || !std::holds_alternative<Flatten>(source->layer)) return std::nullopt;
  const Shape maps = shapes.at(source->inputs.front()).without_batch();
  return maps.rank() == 3 ? std::optional(maps) : std::nullopt;
}

// Columns in the order height, width, channel become channel, height, width.
Tensor from_hwc(const Tensor& weight, const Shape& maps) {
  const Tensor source = widened(weight);
  Tensor result = Tensor::zeros(source.shape());
  const auto channels = static_cast<std::size_t>(maps[0]);
  const auto pixels = static_cast<std::size_t>(maps[1] * maps[2]);
  const auto src = source.values<float>();
  const auto dst = result.mutable_values<float>();
  for (std::size_t row = 0; row < dst.size(); row += channels * pixels) {
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t p = 0; p < pixels; ++p) dst[row + c * pixels + p] = src[row + p * channels + c];
    }
  }
  return result;
}

Tensor repeated(const Tensor& one, const Shape& shape) {
  Tensor result = Tensor::zeros(shape);
  std::ranges::fill(result.mutable_values<float>(), widened(one).values<float>().front());
  return result;
}

bool feeds_mabn(const Graph& graph, const Node& node) {
  const auto readers = consumers(graph, node.name);
  return readers.size() == 1 && std::holds_alternative<MovingAverageBatchNorm>(readers.front()->layer);
}

Made make(const SourceParameter& source, const NamedParameter& parameter, const Node& node, const Graph& graph,
          const std::map<std::string, Shape>& shapes, FlattenOrder order) {
  Made made{.tensor = source.tensor, .done = {}};
  if (!source.done.empty()) made.done.push_back(source.done);
  if (source.tensor.shape().elements() != parameter.shape.elements()) {
    made = {repeated(source.tensor, parameter.shape), {"repeated for all channels"}};
  } else if (source.tensor.shape() != parameter.shape) {
    made.tensor = source.tensor.reshaped(parameter.shape);
    made.done.push_back(fmt::format("reshaped from {}", to_string(source.tensor.shape())));
  }
  if (parameter.name.ends_with(".weight") && std::holds_alternative<Linear>(node.layer) && order == FlattenOrder::hwc) {
    if (const auto maps = flattened_maps(graph, node, shapes)) {
      made.tensor = from_hwc(made.tensor, *maps);
      made.done.push_back("columns put from HWC into CHW order");
    }
  }
  const bool convolution = std::holds_alternative<Convolution>(node.layer);
  if (parameter.name.ends_with(".weight") && convolution && feeds_mabn(graph, node)) {
    made.tensor = centred(widened(made.tensor));
    made.done.push_back("centred");
  }
  return made;
}

Weight stored_as_it_is(const Tensor& tensor) {
  const bool half = tensor.type() == ElementType::f16 || tensor.type() == ElementType::bf16;
  if (!half || tensor.shape().rank() < 2) return Weight::of(widened(tensor));
  return {.shape = tensor.shape(),
          .storage = tensor.type() == ElementType::f16 ? Storage::f16 : Storage::bf16,
          .data = tensor,
          .scale = {},
          .mask = {}};
}

}  // namespace

void assemble(const Fit& fit, const SourceLayers& source, const StateDictOptions& options, Imported& into) {
  into.model.graph = checked(fit.placement.graph);
  const Graph& graph = into.model.graph;
  const auto shapes = infer_shapes(graph, 1);
  std::size_t doubles = 0;
  for (const auto& parameter : parameters(graph)) {
    const auto ours = std::string_view(parameter.name).substr(parameter.layer.size() + 1);
    const auto layers = sources_of(fit.placement, parameter.layer, source);
    const auto& found = *find_spelled(layers, ours);
    Made made = make(found, parameter, *find(graph, parameter.layer), graph, shapes, options.flatten);
    Weight weight = stored_as_it_is(made.tensor);
    const bool wide = weight.storage == Storage::f32 && found.type != ElementType::f32;
    if (wide) made.done.emplace_back("to f32");
    if (found.type == ElementType::f64) ++doubles;
    into.tensors.push_back({.source = found.source,
                            .ours = parameter.name,
                            .shape = parameter.shape,
                            .type = found.type,
                            .done = made.done.empty() ? "as it is" : join(made.done, ", ")});
    into.model.weights.emplace(parameter.name, std::move(weight));
  }
  if (doubles > 0) into.notes.push_back(fmt::format("{} tensors of float64 rounded to f32", doubles));
  into.unused = source.unused;
}

}  // namespace alexnet
