#include "import/onnx_lower.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "import/onnx_attributes.h"

namespace alexnet {
namespace {

// A value on its way through layers that work on axes. If it is batched and nothing touches its first axis, axes have ONNX's
// numbers; else it is whole, behind a batch axis.
class Axes {
 public:
  Axes(const OnnxLowering& at, const std::string& value, bool touches_first)
      : at_(at),
        direct_(at.builder.batched(value) && !touches_first),
        layer_(direct_ ? at.builder.source(value) : at.builder.whole(at.op, value)) {}

  std::int64_t ours(std::size_t axis) const { return static_cast<std::int64_t>(axis) + (direct_ ? 0 : 1); }
  bool direct() const { return direct_; }
  const std::string& layer() const { return layer_; }

  void step(std::string_view part, Layer layer) { layer_ = at_.builder.step(at_.op, part, std::move(layer), {layer_}); }
  void make(Layer layer, std::size_t output = 0) {
    direct_ ? at_.builder.make(at_.op, std::move(layer), {layer_}, output)
            : at_.builder.make_whole(at_.op, std::move(layer), {layer_}, output);
  }
  // Nothing is left to do.
  void pass_on() { at_.builder.pass_on(at_.op, layer_); }

 private:
  const OnnxLowering& at_;
  bool direct_;
  std::string layer_;
};

}  // namespace

void lower_reshape(const OnnxLowering& at) {
  const auto& from = at.input(0);
  const auto& to = at.op.node.outputs[0];
  const auto input = at.builder.source(from);
  const Shape shape = at.builder.shape(to);
  if (shape == at.builder.shape(from)) return at.builder.pass_on(at.op, input);
  if (shape.rank() == 2) {
    at.builder.make(at.op, Flatten{}, {input});
  } else {
    const auto sample = shape.without_batch();
    at.builder.make(at.op, Reshape{.shape = {sample.extents().begin(), sample.extents().end()}}, {input});
  }
}

void lower_transpose(const OnnxLowering& at) {
  const auto& x = at.call.extents(0);
  const auto order = permutation(ints_attribute(at.op.node, "perm"), x.size());
  Axes axes(at, at.input(0), order.front() != 0);
  if (std::ranges::is_sorted(order)) return axes.pass_on();
  Transpose layer;
  for (std::size_t i = axes.direct() ? 1 : 0; i < order.size(); ++i) layer.permutation.push_back(axes.ours(order[i]));
  axes.make(layer);
}

void lower_concat(const OnnxLowering& at) {
  const auto rank = at.call.extents(0).size();
  const auto axis = front_axis(int_attribute(at.op.node, "axis", 1), rank);
  const auto& values = at.op.node.inputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (at.call.operand(i).constant != nullptr) at.call.fail("joins constants and values, which is not supported");
  }
  const bool direct = axis > 0 && std::ranges::all_of(values, [&](const auto& value) { return at.builder.batched(value); });
  std::vector<std::string> inputs;
  for (const auto& value : values) inputs.push_back(direct ? at.builder.source(value) : at.builder.whole(at.op, value));
  const Concat layer{.axis = static_cast<std::int64_t>(axis) + (direct ? 0 : 1)};
  direct ? at.builder.make(at.op, layer, std::move(inputs)) : at.builder.make_whole(at.op, layer, std::move(inputs));
}

void lower_split(const OnnxLowering& at) {
  const auto& x = at.call.extents(0);
  const auto axis = front_axis(int_attribute(at.op.node, "axis", 0), x.size());
  Axes axes(at, at.input(0), axis == 0);
  std::int64_t begin = 0;
  std::size_t output = 0;
  for (const auto size : split_sizes(at.call, x[axis])) {
    const auto& value = at.op.node.outputs[output];
    if (!value.empty() && at.builder.is_needed(value)) {
      axes.make(Slice{.axis = axes.ours(axis), .begin = begin, .count = size}, output);
    }
    begin += size;
    ++output;
  }
}

void lower_slice(const OnnxLowering& at) {
  const auto& x = at.call.extents(0);
  auto ranges = slice_call(at.call);
  std::erase_if(ranges,
                [&](const OnnxRange& range) { return range.begin == 0 && range.step == 1 && range.count == x[range.axis]; });
  Axes axes(at, at.input(0), std::ranges::any_of(ranges, [](const OnnxRange& range) { return range.axis == 0; }));
  if (ranges.empty()) return axes.pass_on();
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto& range = ranges[i];
    const Slice layer{.axis = axes.ours(range.axis), .begin = range.begin, .count = range.count, .step = range.step};
    i + 1 < ranges.size() ? axes.step("slice", layer) : axes.make(layer);
  }
}

void lower_pad(const OnnxLowering& at) {
  const auto mode = text_attribute(at.op.node, "mode", "constant");
  if (mode != "constant") at.call.fail(fmt::format("pads in the mode {}, only constant is supported", shown(mode)));
  auto [before, after] = pad_call(at.call);
  Axes axes(at, at.input(0), before[0] != 0 || after[0] != 0);
  const auto none = [](const std::vector<std::int64_t>& values) {
    return std::ranges::all_of(values, [](auto value) { return value == 0; });
  };
  if (none(before) && none(after)) return axes.pass_on();
  if (axes.direct()) {
    before.erase(before.begin());
    after.erase(after.begin());
  }
  axes.make(Pad{.before = before, .after = after, .value = at.call.number("value", 2).value_or(0)});
}

}  // namespace alexnet
