#include "import/onnx_lower.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "import/onnx_attributes.h"

namespace alexnet {
namespace {

// One number for each channel of a value, or one for all of it.
struct PerChannel {
  std::vector<double> values;
  const OnnxConstant& constant;
};

std::vector<double> numbers_of(const Tensor& tensor) {
  if (tensor.type() == ElementType::f64) return {tensor.values<double>().begin(), tensor.values<double>().end()};
  const Tensor wide = widened(tensor);
  return {wide.values<float>().begin(), wide.values<float>().end()};
}

// The extents of a constant, as many as the value that it is combined with has: aligned at the back, or before operator set 7 where
// the attributes say.
Extents aligned(const OnnxLowering& at, const OnnxConstant& constant, const Extents& with) {
  Extents extents = extents_of(constant.tensor);
  const auto& node = at.op.node;
  if (at.call.opset < 7 && int_attribute(node, "broadcast", 0) != 0 && has_attribute(node, "axis")) {
    extents.resize(std::max(extents.size(), with.size() - front_axis(int_attribute(node, "axis", 0), with.size())), 1);
  }
  if (extents.size() < with.size()) extents.insert(extents.begin(), with.size() - extents.size(), 1);
  return extents;
}

PerChannel per_channel(const OnnxLowering& at, const OnnxConstant& constant, const std::string& value) {
  const auto& with = at.builder.extents(value);
  auto extents = aligned(at, constant, with);
  // As our layers have it, the channels are axis 1.
  if (!at.builder.batched(value)) extents.insert(extents.begin(), 1);
  const auto channels = at.builder.shape(value)[1];
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    if (extents[axis] == 1 || (axis == 1 && extents[axis] == channels)) continue;
    at.call.fail(fmt::format("combines a constant of shape {} with {}: only one number, or one a channel, is supported",
                             to_string(constant.tensor.shape()), to_string(with)));
  }
  auto values = numbers_of(constant.tensor);
  if (std::ssize(values) < channels) at.builder.will_repeat(channels);
  values.resize(static_cast<std::size_t>(channels), values.front());
  return {std::move(values), constant};
}

Tensor tensor_of(const std::vector<double>& values) {
  Tensor tensor = Tensor::zeros({std::ssize(values)});
  std::ranges::transform(values, tensor.mutable_values<float>().begin(), [](double value) { return static_cast<float>(value); });
  return tensor;
}

// y = scale * x + offset; either may be empty.
std::string make_affine(const OnnxLowering& at, const std::string& value, const OnnxConstant& from,
                        const std::vector<double>& scale, const std::vector<double>& offset, std::string_view done) {
  const ScaleShift layer{.scale = !scale.empty(), .offset = !offset.empty()};
  const auto name = at.builder.make(at.op, layer, {at.builder.source(value)});
  if (layer.scale) at.builder.parameter(name, "scale", tensor_of(scale), from, done);
  if (layer.offset) at.builder.parameter(name, "offset", tensor_of(offset), from, done);
  return name;
}

void with_constant(const OnnxLowering& at, std::size_t value_place) {
  const auto& value = at.input(value_place);
  const auto [numbers, constant] = per_channel(at, *at.call.operand(1 - value_place).constant, value);
  const auto& op = at.op.node.op_type;
  const auto mapped = [&numbers = numbers](auto function) {
    std::vector<double> result;
    for (const double number : numbers) result.push_back(function(number));
    return result;
  };
  if (op == "Add") {
    make_affine(at, value, constant, {}, numbers, "");
  } else if (op == "Mul") {
    make_affine(at, value, constant, numbers, {}, "");
  } else if (op == "Sub" && value_place == 0) {
    make_affine(at, value, constant, {}, mapped([](double number) { return -number; }), "negated");
  } else if (op == "Sub") {
    make_affine(at, value, constant, std::vector<double>(numbers.size(), -1), numbers, "");
  } else if (op == "Div" && value_place == 0) {
    make_affine(at, value, constant, mapped([](double number) { return 1 / number; }), {}, "inverted");
  } else {
    at.call.fail("divides a constant by a value, which is not supported");
  }
}

}  // namespace

void make_pairwise(const OnnxLowering& at, Pairwise which, const std::string& a, const std::string& b) {
  auto& builder = at.builder;
  const Layer layer = which == Pairwise::sum ? Layer(Add{}) : Layer(Multiply{});
  if (builder.batched(a) && builder.batched(b) && builder.extents(a).size() == builder.extents(b).size()) {
    builder.make(at.op, layer, {builder.source(a), builder.source(b)});
    return;
  }
  const auto [left, right] = whole_pair(at, a, b);
  builder.make_whole(at.op, layer, {left, right});
}

void lower_relu(const OnnxLowering& at) { at.builder.make(at.op, Relu{}, {at.builder.source(at.input(0))}); }

void lower_clip(const OnnxLowering& at) {
  const Clip free;
  const Clip layer{.lowest = at.call.number("min", 1).value_or(free.lowest),
                   .highest = at.call.number("max", 2).value_or(free.highest)};
  at.builder.make(at.op, layer, {at.builder.source(at.input(0))});
}

void lower_dropout(const OnnxLowering& at) {
  const auto ratio = at.call.number("ratio", 1).value_or(0.5);
  at.builder.make(at.op, Dropout{.ratio = ratio}, {at.builder.source(at.input(0))});
}

void lower_softmax(const OnnxLowering& at) {
  const auto& value = at.input(0);
  const Extents& x = at.builder.extents(value);
  const bool along_one_axis = at.call.opset >= 13;
  const auto axis = front_axis(int_attribute(at.op.node, "axis", along_one_axis ? -1 : 1), x.size());
  const bool direct = at.builder.batched(value) && axis > 0;
  const auto input = direct ? at.builder.source(value) : at.builder.whole(at.op, value);
  const Shape from = direct ? at.builder.shape(value) : at.builder.whole_shape(value);
  const auto ours = direct ? axis : axis + 1;
  const auto make = [&](Layer layer, std::vector<std::string> inputs) {
    direct ? at.builder.make(at.op, std::move(layer), std::move(inputs))
           : at.builder.make_whole(at.op, std::move(layer), std::move(inputs));
  };
  // Before operator set 13 the axes from this one on were taken together.
  const auto inner = from.extents().subspan(ours + 1);
  if (along_one_axis || std::ranges::all_of(inner, [](auto extent) { return extent == 1; })) {
    return make(Softmax{.axis = static_cast<std::int64_t>(ours)}, {input});
  }
  Extents joined(from.extents().begin() + 1, from.extents().begin() + static_cast<std::ptrdiff_t>(ours));
  joined.push_back(*element_count(from.extents().subspan(ours)));
  const auto flat = at.builder.step(at.op, "flat", Reshape{.shape = joined}, {input});
  const auto soft = at.builder.step(at.op, "soft", Softmax{.axis = static_cast<std::int64_t>(ours)}, {flat});
  make(Reshape{.shape = {from.extents().begin() + 1, from.extents().end()}}, {soft});
}

void lower_arithmetic(const OnnxLowering& at) {
  const auto& op = at.op.node.op_type;
  const bool left_constant = at.call.operand(0).constant != nullptr;
  const bool right_constant = at.call.operand(1).constant != nullptr;
  if (left_constant || right_constant) return with_constant(at, left_constant ? 1 : 0);
  if (op == "Div") at.call.fail("divides one value by another, which is not supported");
  if (at.call.opset < 7 && has_attribute(at.op.node, "axis")) at.call.fail("aligns two values at an axis, which is not supported");
  if (op == "Sub") {
    // x - y as x + (-1) * y.
    const auto& subtracted = at.input(1);
    const auto channels = at.builder.shape(subtracted)[1];
    at.builder.will_repeat(channels);
    const auto negative =
        at.builder.step(at.op, "negative", ScaleShift{.scale = true, .offset = false}, {at.builder.source(subtracted)});
    const auto minus_one = tensor_of(std::vector<double>(static_cast<std::size_t>(channels), -1));
    at.builder.parameter(negative, "scale", minus_one, OnnxConstant{minus_one, "", ""});
    const auto& kept = at.input(0);
    if (!at.builder.batched(kept) || !at.builder.batched(subtracted) ||
        at.builder.extents(kept).size() != at.builder.extents(subtracted).size()) {
      at.call.fail("subtracts values of different ranks, which is not supported");
    }
    at.builder.make(at.op, Add{}, {at.builder.source(kept), negative});
    return;
  }
  make_pairwise(at, op == "Add" ? Pairwise::sum : Pairwise::product, at.input(0), at.input(1));
}

}  // namespace alexnet
