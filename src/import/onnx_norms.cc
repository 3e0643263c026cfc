#include "import/onnx_lower.h"

#include <array>
#include <vector>

#include <fmt/format.h>

#include "import/onnx_attributes.h"
#include "layers/lrn_conventions.h"

namespace alexnet {
namespace {

// Operands 1 and 2, which every one of these operators calls scale and bias.
struct Learned {
  const OnnxConstant& scale;
  const OnnxConstant* offset;
};

Learned learned(const OnnxLowering& at) { return {at.required_parameter(1, "scale"), at.parameter(2, "bias")}; }

void add_learned(const OnnxLowering& at, const std::string& layer, const Learned& learned) {
  at.builder.parameter(layer, "scale", learned.scale.tensor, learned.scale);
  if (learned.offset != nullptr) at.builder.parameter(layer, "offset", learned.offset->tensor, *learned.offset);
}

// One value a group, as operator sets before 21 have it, for each of its channels.
Tensor repeated(OnnxBuilder& builder, const Tensor& of_groups, std::int64_t channels) {
  builder.will_repeat(channels);
  const Tensor wide = widened(of_groups);
  Tensor result = Tensor::zeros({channels});
  const auto each = static_cast<std::size_t>(channels) / wide.values<float>().size();
  const auto values = result.mutable_values<float>();
  for (std::size_t c = 0; c < values.size(); ++c) values[c] = wide.values<float>()[c / each];
  return result;
}

}  // namespace

void lower_batch_normalization(const OnnxLowering& at) {
  const auto& node = at.op.node;
  if (int_attribute(node, "training_mode", 0) != 0) at.call.fail("computes statistics of its batch (training_mode)");
  if (int_attribute(node, "spatial", 1) == 0) at.call.fail("has statistics for each pixel (spatial 0), which is not supported");
  const auto input = at.builder.samples(at.input(0));
  const auto channels = at.call.extents(0)[1];
  const std::array<std::string_view, 4> names{"scale", "offset", "mean", "variance"};
  for (std::size_t i = 0; i < names.size(); ++i)
    require_one_a_channel(at, at.required_parameter(i + 1, names[i]), names[i], channels);
  const auto layer = at.builder.make(at.op, BatchNorm{.epsilon = float_attribute(node, "epsilon", 1e-5)}, {input});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& constant = at.required_parameter(i + 1, names[i]);
    at.builder.parameter(layer, names[i], constant.tensor, constant);
  }
}

void lower_lrn(const OnnxLowering& at) {
  const auto input = at.builder.samples(at.input(0));
  if (at.op.lrn) {
    const auto name = at.builder.make(at.op, *at.op.lrn, {input});
    if (const auto words = lrn::in_words_of(lrn::PyTorch{}, *at.op.lrn)) at.builder.lrn_source(name, *words);
    return;
  }
  const auto& node = at.op.node;
  if (!has_attribute(node, "size")) at.call.fail("has no size");
  const lrn::Onnx source{.size = int_attribute(node, "size", 0),
                         .alpha = float_attribute(node, "alpha", 1e-4),
                         .beta = float_attribute(node, "beta", 0.75),
                         .bias = float_attribute(node, "bias", 1)};
  at.builder.lrn_source(at.builder.make(at.op, lrn::layer(source), {input}), source);
}

void lower_instance_normalization(const OnnxLowering& at) {
  const auto input = at.builder.samples(at.input(0));
  const auto channels = at.call.extents(0)[1];
  const Learned parameters = learned(at);
  if (parameters.offset == nullptr) at.call.fail("has no bias");
  require_one_a_channel(at, parameters.scale, "scale", channels);
  require_one_a_channel(at, *parameters.offset, "bias", channels);
  const InstanceNorm layer{.epsilon = float_attribute(at.op.node, "epsilon", 1e-5)};
  add_learned(at, at.builder.make(at.op, layer, {input}), parameters);
}

void lower_layer_normalization(const OnnxLowering& at) {
  const auto input = at.builder.samples(at.input(0));
  const auto& x = at.call.extents(0);
  const auto axis = front_axis(int_attribute(at.op.node, "axis", -1), x.size());
  if (axis == 0) at.call.fail("computes statistics of its batch");
  const Learned parameters = learned(at);
  const Shape wanted(std::span<const std::int64_t>(x).subspan(axis));
  const auto require = [&](const OnnxConstant& constant, std::string_view what) {
    if (constant.tensor.shape() == wanted) return;
    at.call.fail(fmt::format("its {} is {}, normalising {} from axis {} on wants {}", what, to_string(constant.tensor.shape()),
                             to_string(x), axis, to_string(wanted)));
  };
  require(parameters.scale, "scale");
  if (parameters.offset != nullptr) require(*parameters.offset, "bias");
  const LayerNorm layer{.axis = static_cast<std::int64_t>(axis),
                        .epsilon = float_attribute(at.op.node, "epsilon", 1e-5),
                        .offset = parameters.offset != nullptr};
  add_learned(at, at.builder.make(at.op, layer, {input}), parameters);
}

void lower_group_normalization(const OnnxLowering& at) {
  const auto input = at.builder.samples(at.input(0));
  const auto channels = at.call.extents(0)[1];
  const auto groups = int_attribute(at.op.node, "num_groups", 0);
  if (groups < 1 || channels % groups != 0) at.call.fail(fmt::format("{} groups do not divide {} channels", groups, channels));
  const Learned parameters = learned(at);
  if (parameters.offset == nullptr) at.call.fail("has no bias");
  const bool by_channel = at.call.opset >= 21;
  require_one_a_channel(at, parameters.scale, "scale", by_channel ? channels : groups);
  require_one_a_channel(at, *parameters.offset, "bias", by_channel ? channels : groups);
  const auto name =
      at.builder.make(at.op, GroupNorm{.groups = groups, .epsilon = float_attribute(at.op.node, "epsilon", 1e-5)}, {input});
  if (by_channel) return add_learned(at, name, parameters);
  at.builder.parameter(name, "scale", repeated(at.builder, parameters.scale.tensor, channels), parameters.scale,
                       "repeated in each group");
  at.builder.parameter(name, "offset", repeated(at.builder, parameters.offset->tensor, channels), *parameters.offset,
                       "repeated in each group");
}

}  // namespace alexnet
