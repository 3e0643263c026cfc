#include "import/source_layers.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "tensor/weight_forms.h"

namespace alexnet {
namespace {

// What torch.nn.DataParallel, torch.compile, Lightning, FSDP and averaged models put into names.
constexpr std::array<std::string_view, 6> kWrappers{
    "module", "model", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"};

// Far more than any relative of AlexNet has.
constexpr std::size_t kMaxTensors = 4'000;

using Segments = std::vector<std::string>;

Segments without_wrappers(const std::string& name) {
  Segments segments = split(name, '.');
  const std::string parameter = segments.back();
  segments.pop_back();
  std::erase_if(segments, [](const auto& segment) { return std::ranges::find(kWrappers, segment) != kWrappers.end(); });
  segments.push_back(parameter);
  return segments;
}

// Leaves at least a layer and a parameter of each name.
void drop_common_front(std::vector<Segments>& names) {
  const auto may_go = [&] {
    return std::ranges::all_of(names, [&](const auto& name) { return name.size() > 2 && name.front() == names.front().front(); });
  };
  while (!names.empty() && may_go()) {
    for (auto& name : names) name.erase(name.begin());
  }
}

// parametrizations.weight.original0 is weight_g in the later spelling.
void respell_parametrizations(Segments& name) {
  const auto size = name.size();
  if (size < 3 || name[size - 3] != "parametrizations") return;
  const std::string end = name[size - 1] == "original0" ? "_g" : name[size - 1] == "original1" ? "_v" : "";
  if (end.empty()) return;
  name[size - 3] = name[size - 2] + end;
  name.resize(size - 2);
}

// The source's own name of the layer that a tensor belongs to.
std::string layer_part(const std::string& source) {
  const auto end = std::min(source.find(".parametrizations."), source.find_last_of('.'));
  return end == std::string::npos ? "" : source.substr(0, end);
}

// A list of tensors: each matrix begins a layer, and what follows it is its bias.
void name_by_position(std::span<const NamedTensor> tensors, std::vector<Segments>& names) {
  std::string layer = "0";
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const bool begins = tensors[i].tensor.shape().rank() >= 2;
    if (begins) layer = tensors[i].name;
    names[i] = {layer, begins ? "weight" : "bias"};
  }
}

std::vector<Segments> cleaned_names(std::span<const NamedTensor> tensors) {
  std::vector<Segments> names;
  for (const auto& named : tensors) names.push_back(without_wrappers(named.name));
  for (auto& name : names) respell_parametrizations(name);
  drop_common_front(names);
  const bool flat = std::ranges::all_of(names, [](const auto& name) { return name.size() == 1; });
  if (flat) name_by_position(tensors, names);
  return names;
}

// The axis that the norms of weight normalisation belong to: the only one along which there are several.
std::optional<std::size_t> norm_axis(const Shape& g, const Shape& v) {
  if (g.rank() != v.rank()) return std::nullopt;
  std::size_t axis = 0;
  while (axis < g.rank() && g[axis] == 1) ++axis;
  for (std::size_t i = 0; i < g.rank(); ++i) {
    if (g[i] != (i == axis ? v[i] : 1)) return std::nullopt;
  }
  return axis;
}

SourceParameter folded(const SourceParameter& g, const SourceParameter& v, const std::string& name, const std::string& where) {
  const Tensor norms = widened(g.tensor);
  const Tensor directions = widened(v.tensor);
  // dim=None: one norm for all, as if everything were one row.
  const bool whole = norms.shape().elements() == 1;
  const auto axis = whole ? 0 : norm_axis(norms.shape(), directions.shape());
  if (!axis) {
    throw Error(ErrorKind::model, where,
                fmt::format("{} of {} is no norm of {} of {}", shown(g.source), to_string(norms.shape()), shown(v.source),
                            to_string(directions.shape())));
  }
  const Tensor rows = whole ? directions.reshaped({1, directions.shape().elements()}) : directions;
  return {.name = name,
          .source = fmt::format("{}, {}", g.source, v.source),
          .tensor = weight_normalised(norms, rows, *axis).reshaped(directions.shape()),
          .type = v.type,
          .done = "weight normalisation folded"};
}

// Replaces NAME_g and NAME_v by NAME.
void fold_weight_norm(SourceLayer& layer, const std::string& where) {
  std::vector<SourceParameter> parameters;
  const auto partner = [&](const std::string& name, const char* own, const char* other) {
    return name.ends_with(own) ? find(layer, name.substr(0, name.size() - 2) + other) : nullptr;
  };
  for (const auto& parameter : layer.parameters) {
    if (const auto* v = partner(parameter.name, "_g", "_v"); v != nullptr) {
      parameters.push_back(folded(parameter, *v, parameter.name.substr(0, parameter.name.size() - 2), where));
    } else if (partner(parameter.name, "_v", "_g") == nullptr) {
      parameters.push_back(parameter);
    }
  }
  layer.parameters = std::move(parameters);
}

// Numbers inside names compare as numbers.
std::vector<std::pair<std::string, std::uint64_t>> natural(std::string_view name) {
  std::vector<std::pair<std::string, std::uint64_t>> parts;
  for (std::size_t at = 0; at < name.size();) {
    std::string text;
    while (at < name.size() && (name[at] < '0' || name[at] > '9')) text += name[at++];
    std::uint64_t number = 0;
    while (at < name.size() && name[at] >= '0' && name[at] <= '9') number = number * 10 + static_cast<unsigned>(name[at++] - '0');
    parts.emplace_back(std::move(text), number);
  }
  return parts;
}

void put_in_order(std::vector<SourceLayer>& layers) {
  std::set<std::string, std::less<>> convolutional;
  for (const auto& layer : layers) {
    if (weight_rank(layer) > 2) convolutional.emplace(numbered(layer.name).group);
  }
  const auto place = [&](const SourceLayer& layer) {
    return std::tuple(!convolutional.contains(numbered(layer.name).group), natural(layer.name));
  };
  std::ranges::stable_sort(layers, {}, place);
}

}  // namespace

SourceLayers source_layers(std::span<const NamedTensor> tensors, bool in_order, const std::string& where) {
  if (tensors.size() > kMaxTensors) {
    throw Error(ErrorKind::model, where, fmt::format("has {} tensors, at most {} are read", tensors.size(), kMaxTensors));
  }
  const auto names = cleaned_names(tensors);
  SourceLayers result;
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [source, tensor] = tensors[i];
    const auto& parameter = names[i].back();
    if (tensor.shape().rank() == 0 && !parameter.ends_with("_g")) {
      result.unused.push_back(source);
      continue;
    }
    const auto name = join(std::span(names[i]).first(names[i].size() - 1), ".");
    const auto [known, is_new] = place.emplace(name, result.layers.size());
    if (is_new) result.layers.push_back({.name = name, .original = layer_part(source), .parameters = {}});
    auto& layer = result.layers[known->second];
    if (const auto* other = find(layer, parameter); other != nullptr) {
      throw Error(ErrorKind::model, where,
                  fmt::format("{} and {} are the same but for what wrappers add", shown(other->source), shown(source)));
    }
    layer.parameters.push_back({.name = parameter, .source = source, .tensor = tensor, .type = tensor.type(), .done = {}});
  }
  for (auto& layer : result.layers) fold_weight_norm(layer, where);
  if (!in_order) put_in_order(result.layers);
  return result;
}

const SourceLayer* find(const SourceLayers& layers, std::string_view name) {
  const auto found = std::ranges::find(layers.layers, name, &SourceLayer::name);
  return found == layers.layers.end() ? nullptr : &*found;
}

const SourceParameter* find(const SourceLayer& layer, std::string_view parameter) {
  const auto found = std::ranges::find(layer.parameters, parameter, &SourceParameter::name);
  return found == layer.parameters.end() ? nullptr : &*found;
}

bool is_batch_norm(const SourceLayer& layer) {
  return find(layer, "running_mean") != nullptr && find(layer, "running_var") != nullptr && weight_rank(layer) <= 1;
}

std::size_t weight_rank(const SourceLayer& layer) {
  const auto* weight = find(layer, "weight");
  return weight == nullptr ? 0 : weight->tensor.shape().rank();
}

Numbered numbered(std::string_view name) {
  const auto dot = name.find_last_of('.');
  const auto last = dot == std::string_view::npos ? name : name.substr(dot + 1);
  const auto group = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  const auto number = last.size() > 4 ? std::nullopt : parse_integer(last);
  return {.group = group, .number = number && *number >= 0 ? static_cast<int>(*number) : -1};
}

}  // namespace alexnet
