#include "import/module_layers.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

[[noreturn]] void fail(std::string message) { throw Error(ErrorKind::model, "", std::move(message)); }

template <typename T>
const T* attribute(const PytorchModule& module, const char* name) {
  const auto found = module.attributes.find(name);
  return found == module.attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

bool flag(const PytorchModule& module, const char* name, bool otherwise) {
  const auto* value = attribute<bool>(module, name);
  return value == nullptr ? otherwise : *value;
}

double number(const PytorchModule& module, const char* name) {
  if (const auto* value = attribute<double>(module, name)) return *value;
  return static_cast<double>(whole_number(module, name));
}

// A number for both axes, or one for each.
Extent2 pair(const PytorchModule& module, const char* name) {
  const auto* values = attribute<std::vector<std::int64_t>>(module, name);
  if (values == nullptr) {
    const auto value = whole_number(module, name);
    return {value, value};
  }
  if (values->size() != 2) fail(fmt::format("its {} has {} numbers", name, values->size()));
  return {(*values)[0], (*values)[1]};
}

Padding4 both_sides(const Extent2& padding) { return {padding[0], padding[1], padding[0], padding[1]}; }

// padding='same' puts what is odd at the end.
Padding4 convolution_padding(const PytorchModule& module, const Convolution& layer) {
  const auto* word = attribute<std::string>(module, "padding");
  if (word == nullptr) return both_sides(pair(module, "padding"));
  if (*word == "valid") return {};
  if (*word != "same") fail(fmt::format("its padding is {}", shown(*word)));
  Padding4 result{};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (layer.kernel[axis] < 1 || layer.kernel[axis] > 1'000'000 || layer.dilation[axis] > 1'000'000)
      fail("has an impossible kernel");
    const auto total = layer.dilation[axis] * (layer.kernel[axis] - 1);
    result[axis] = total / 2;
    result[axis + 2] = total - total / 2;
  }
  return result;
}

bool has(const SourceLayer* source, const char* parameter) { return source != nullptr && find(*source, parameter) != nullptr; }

Layer convolution(const PytorchModule& module, const SourceLayer* source) {
  const auto* mode = attribute<std::string>(module, "padding_mode");
  if (mode != nullptr && *mode != "zeros") fail(fmt::format("its padding_mode is {}, only zeros are supported", shown(*mode)));
  Convolution layer{.out_channels = whole_number(module, "out_channels"),
                    .kernel = pair(module, "kernel_size"),
                    .stride = pair(module, "stride"),
                    .dilation = pair(module, "dilation"),
                    .groups = whole_number(module, "groups"),
                    .bias = has(source, "bias")};
  layer.padding = convolution_padding(module, layer);
  return layer;
}

Extent2 pool_stride(const PytorchModule& module) {
  const bool none = attribute<std::monostate>(module, "stride") != nullptr;
  return pair(module, none ? "kernel_size" : "stride");
}

Rounding rounding(const PytorchModule& module) { return flag(module, "ceil_mode", false) ? Rounding::ceil : Rounding::floor; }

Layer max_pool(const PytorchModule& module) {
  if (flag(module, "return_indices", false)) fail("returns indices");
  return MaxPool{.kernel = pair(module, "kernel_size"),
                 .stride = pool_stride(module),
                 .padding = both_sides(pair(module, "padding")),
                 .dilation = pair(module, "dilation"),
                 .rounding = rounding(module)};
}

Layer average_pool(const PytorchModule& module) {
  if (attribute<std::int64_t>(module, "divisor_override") != nullptr) fail("has a divisor_override");
  return AveragePool{.kernel = pair(module, "kernel_size"),
                     .stride = pool_stride(module),
                     .padding = both_sides(pair(module, "padding")),
                     .rounding = rounding(module),
                     .count_padding = flag(module, "count_include_pad", true)};
}

Layer flatten(const PytorchModule& module) {
  if (whole_number(module, "start_dim") != 1 || whole_number(module, "end_dim") != -1) fail("flattens only some axes");
  return Flatten{};
}

// InstanceNorm with running statistics is a batch normalisation at inference.
Layer statistics_norm(const PytorchModule& module, const SourceLayer* source, bool of_instance) {
  const double epsilon = number(module, "eps");
  const bool scale = has(source, "weight");
  const bool offset = has(source, "bias");
  if (has(source, "running_mean")) return BatchNorm{.epsilon = epsilon, .scale = scale, .offset = offset};
  if (of_instance) return InstanceNorm{.epsilon = epsilon, .scale = scale, .offset = offset};
  return BatchStatisticsNorm{.epsilon = epsilon, .scale = scale, .offset = offset};
}

Layer layer_norm(const PytorchModule& module, const SourceLayer* source, bool flat) {
  const auto* shape = attribute<std::vector<std::int64_t>>(module, "normalized_shape");
  const std::int64_t rank = flat ? 2 : 4;
  if (shape == nullptr || shape->empty() || std::ssize(*shape) >= rank) fail("has a normalized_shape that is not supported here");
  return LayerNorm{.axis = rank - std::ssize(*shape),
                   .epsilon = number(module, "eps"),
                   .scale = has(source, "weight"),
                   .offset = has(source, "bias")};
}

}  // namespace

std::int64_t whole_number(const PytorchModule& module, const char* name) {
  const auto* value = attribute<std::int64_t>(module, name);
  if (value == nullptr) fail(fmt::format("has no {} that is a whole number", name));
  return *value;
}

std::string_view torch_class(const PytorchModule& module) {
  const std::string_view type = module.type;
  return type.starts_with("torch.nn.") ? type.substr(type.find_last_of('.') + 1) : std::string_view();
}

ModuleLayer module_layer(const PytorchModule& module, const SourceLayer* source, bool flat) {
  const auto plain = [](Layer layer) { return ModuleLayer{.layer = std::move(layer), .lrn = {}}; };
  const auto type = torch_class(module);
  if (type == "Conv2d") return plain(convolution(module, source));
  if (type == "Linear") return plain(Linear{.out_features = whole_number(module, "out_features"), .bias = has(source, "bias")});
  if (type == "ReLU") return plain(Relu{});
  if (type == "ReLU6") return plain(Clip{.lowest = 0, .highest = 6});
  if (type == "MaxPool2d") return plain(max_pool(module));
  if (type == "AvgPool2d") return plain(average_pool(module));
  if (type == "AdaptiveAvgPool2d") return plain(AdaptiveAveragePool{.output = pair(module, "output_size")});
  if (type == "Dropout" || type == "Dropout2d" || type == "AlphaDropout" || type == "FeatureAlphaDropout")
    return plain(Dropout{.ratio = number(module, "p")});
  if (type == "Identity") return {};
  if (type == "Flatten") return plain(flatten(module));
  if (type == "Softmax") return plain(Softmax{});
  if (type == "BatchNorm2d" || type == "BatchNorm1d" || type == "SyncBatchNorm")
    return plain(statistics_norm(module, source, false));
  if (type == "InstanceNorm2d") return plain(statistics_norm(module, source, true));
  if (type == "LayerNorm") return plain(layer_norm(module, source, flat));
  if (type == "GroupNorm") {
    return plain(GroupNorm{.groups = whole_number(module, "num_groups"),
                           .epsilon = number(module, "eps"),
                           .scale = has(source, "weight"),
                           .offset = has(source, "bias")});
  }
  if (type == "LocalResponseNorm") {
    const lrn::PyTorch own{whole_number(module, "size"), number(module, "alpha"), number(module, "beta"), number(module, "k")};
    return {.layer = lrn::layer(own), .lrn = own};
  }
  fail("is not supported");
}

}  // namespace alexnet
