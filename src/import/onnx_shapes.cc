#include "import/onnx_shapes.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "import/onnx_attributes.h"
#include "import/onnx_window.h"

namespace alexnet {
namespace {

using Result = std::vector<Extents>;

Result same(const OnnxCall& call) { return Result(call.node.outputs.size(), call.extents(0)); }
// Statistics may be further outputs, which nothing here makes.
Result normalised(const OnnxCall& call) { return {call.extents(0)}; }
Result combined(const OnnxCall& call) { return {broadcast(call.extents(0), call.extents(1))}; }

// Add and its kin were told by attributes how to align a smaller second operand before operator set 7.
Result arithmetic(const OnnxCall& call) {
  if (call.opset >= 7 || int_attribute(call.node, "broadcast", 0) == 0 || !has_attribute(call.node, "axis")) return combined(call);
  const auto& a = call.extents(0);
  Extents b = call.extents(1);
  const auto axis = front_axis(int_attribute(call.node, "axis", 0), a.size());
  if (axis + b.size() > a.size()) call.fail("aligns more axes than there are");
  b.resize(a.size() - axis, 1);
  return {broadcast(a, b)};
}

void require_channels(const OnnxCall& call, const Extents& x) {
  if (x.size() < 3) call.fail(fmt::format("wants an input with a batch, channels and spatial axes, found {}", to_string(x)));
}

Extents spatial_of(const Extents& x) { return {x.begin() + 2, x.end()}; }

Extents with_spatial(const Extents& x, std::int64_t channels, const Extents& spatial) {
  Extents result{x[0], channels};
  result.insert(result.end(), spatial.begin(), spatial.end());
  return result;
}

Result conv(const OnnxCall& call) {
  const auto& x = call.extents(0);
  const auto& w = call.extents(1);
  require_channels(call, x);
  if (call.operand(1).constant == nullptr) {
    call.fail(fmt::format("its weight {} is known only when the network runs", shown(call.node.inputs[1])));
  }
  if (w.size() != x.size()) call.fail(fmt::format("its weight is {}, its input {}", to_string(w), to_string(x)));
  const auto spatial = spatial_of(x);
  return {with_spatial(x, w[0], sliding_extents(window_of(call.node, spatial, spatial_of(w)), spatial))};
}

Result pool(const OnnxCall& call) {
  const auto& x = call.extents(0);
  require_channels(call, x);
  const auto spatial = spatial_of(x);
  return Result(call.node.outputs.size(), with_spatial(x, x[1], sliding_extents(window_of(call.node, spatial, {}), spatial)));
}

Result global_pool(const OnnxCall& call) {
  const auto& x = call.extents(0);
  require_channels(call, x);
  return {with_spatial(x, x[1], Extents(x.size() - 2, 1))};
}

Result gemm(const OnnxCall& call) {
  const auto matrix = [&](std::size_t index, const char* transposed_by) {
    auto extents = call.extents(index);
    if (extents.size() != 2) call.fail(fmt::format("multiplies {}, which is no matrix", to_string(extents)));
    if (int_attribute(call.node, transposed_by, 0) != 0) std::swap(extents[0], extents[1]);
    if (extents[1] == kBatch) throw BatchMixed("multiplies a transposed matrix of samples");
    return extents;
  };
  const auto product = multiplied(matrix(0, "transA"), matrix(1, "transB"));
  if (call.operand(2).absent()) return {product};
  const auto sum = broadcast(product, call.extents(2));
  if (sum != product) call.fail(fmt::format("adds {} to {}", to_string(call.extents(2)), to_string(product)));
  return {product};
}

Result concat(const OnnxCall& call) {
  std::vector<Extents> parts;
  for (std::size_t i = 0; i < call.operands.size(); ++i) parts.push_back(call.extents(i));
  if (parts.empty()) call.fail("joins nothing");
  return {concatenated(parts, front_axis(int_attribute(call.node, "axis", 1), parts[0].size()))};
}

Result split(const OnnxCall& call) {
  const auto& x = call.extents(0);
  const auto axis = front_axis(int_attribute(call.node, "axis", 0), x.size());
  if (x[axis] == kBatch) throw BatchMixed("splits the batch");
  Result result;
  for (const auto size : split_sizes(call, x[axis])) {
    result.push_back(x);
    result.back()[axis] = size;
  }
  return result;
}

Result slice(const OnnxCall& call) {
  Extents result = call.extents(0);
  for (const auto& range : slice_call(call)) result[range.axis] = range.count;
  return {result};
}

Result pad(const OnnxCall& call) {
  Extents result = call.extents(0);
  const auto [before, after] = pad_call(call);
  for (std::size_t axis = 0; axis < result.size(); ++axis) {
    if (before[axis] == 0 && after[axis] == 0) continue;
    if (result[axis] == kBatch) throw BatchMixed("pads the batch");
    const auto more = checked_add(before[axis], after[axis]);
    const auto sum = more ? checked_add(result[axis], *more) : std::nullopt;
    if (!sum || *sum < 0) call.fail("pads to an impossible size");
    result[axis] = *sum;
  }
  return {result};
}

Result reduce(const OnnxCall& call) {
  const auto& x = call.extents(0);
  const auto axes = reduced_axes(call);
  const bool keep = int_attribute(call.node, "keepdims", 1) != 0;
  Extents result;
  for (std::size_t axis = 0; axis < x.size(); ++axis) {
    const bool reduced = std::ranges::find(axes, axis) != axes.end();
    if (reduced && x[axis] == kBatch) throw BatchMixed("reduces over the batch");
    if (!reduced) result.push_back(x[axis]);
    if (reduced && keep) result.push_back(1);
  }
  return {result};
}

Result gather(const OnnxCall& call) {
  const auto& x = call.extents(0);
  const auto& indices = call.extents(1);
  const auto axis = front_axis(int_attribute(call.node, "axis", 0), x.size());
  Extents result(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(axis));
  result.insert(result.end(), indices.begin(), indices.end());
  result.insert(result.end(), x.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.end());
  return {result};
}

Result reshape(const OnnxCall& call) {
  const auto target = call.numbers("shape", 1);
  if (!target) call.fail("has no shape to make");
  return {reshaped(call.extents(0), *target, int_attribute(call.node, "allowzero", 0) != 0, call.written_batch)};
}

Result unsqueeze(const OnnxCall& call) {
  const auto axes = call.numbers("axes", 1);
  if (!axes) call.fail("names no axes");
  return {unsqueezed(call.extents(0), *axes)};
}

Result transpose(const OnnxCall& call) {
  const auto& x = call.extents(0);
  return {transposed(x, permutation(ints_attribute(call.node, "perm"), x.size()))};
}

using Rule = Result (*)(const OnnxCall&);

const std::map<std::string, Rule>& rules() {
  static const std::map<std::string, Rule> table{
      {"Add", arithmetic},
      {"AveragePool", pool},
      {"BatchNormalization", normalised},
      {"Cast", same},
      {"Clip", same},
      {"Concat", concat},
      {"Conv", conv},
      {"Div", arithmetic},
      {"Dropout", same},
      {"Equal", combined},
      {"Flatten", [](const OnnxCall& call) { return Result{flattened(call.extents(0), int_attribute(call.node, "axis", 1))}; }},
      {"Gather", gather},
      {"Gemm", gemm},
      {"GlobalAveragePool", global_pool},
      {"GlobalMaxPool", global_pool},
      {"GroupNormalization", normalised},
      {"InstanceNormalization", normalised},
      {"LRN", same},
      {"LayerNormalization", normalised},
      {"MatMul", [](const OnnxCall& call) { return Result{multiplied(call.extents(0), call.extents(1))}; }},
      {"MaxPool", pool},
      {"Mul", arithmetic},
      {"Pad", pad},
      {"Pow", arithmetic},
      {"ReduceMean", reduce},
      {"Relu", same},
      {"Reshape", reshape},
      {"Slice", slice},
      {"Softmax", same},
      {"Split", split},
      {"Squeeze", [](const OnnxCall& call) { return Result{squeezed(call.extents(0), call.numbers("axes", 1))}; }},
      {"Sub", arithmetic},
      {"Transpose", transpose},
      {"Unsqueeze", unsqueeze},
  };
  return table;
}

}  // namespace

const OnnxOperand& OnnxCall::operand(std::size_t index) const {
  static const OnnxOperand kAbsent;
  return index < operands.size() ? operands[index] : kAbsent;
}

const Extents& OnnxCall::extents(std::size_t index) const {
  const auto& result = operand(index).extents;
  if (!result) fail(fmt::format("lacks its input {}", index));
  return *result;
}

std::optional<std::vector<std::int64_t>> OnnxCall::numbers(const std::string& attribute, std::size_t index) const {
  if (has_attribute(node, attribute)) return ints_attribute(node, attribute);
  const auto& input = operand(index);
  if (input.absent()) return std::nullopt;
  if (input.constant == nullptr)
    fail(fmt::format("takes its {} from {}, which is known only when the network runs", attribute, shown(node.inputs[index])));
  return integers(input.constant->tensor, "its " + attribute);
}

std::optional<double> OnnxCall::number(const std::string& attribute, std::size_t index) const {
  if (has_attribute(node, attribute)) return float_attribute(node, attribute, 0);
  const auto& input = operand(index);
  if (input.absent()) return std::nullopt;
  if (input.constant == nullptr)
    fail(fmt::format("takes its {} from {}, which is known only when the network runs", attribute, shown(node.inputs[index])));
  return scalar(input.constant->tensor, "its " + attribute);
}

void OnnxCall::fail(std::string message) const { throw Error(ErrorKind::model, "", std::move(message)); }

bool has_extent_rule(const std::string& op_type) { return rules().contains(op_type); }

std::vector<Extents> output_extents(const OnnxCall& call) {
  const auto rule = rules().find(call.node.op_type);
  if (rule == rules().end()) call.fail("is not supported");
  auto result = rule->second(call);
  for (const auto& extents : result) {
    const bool free = !extents.empty() && extents[0] == kBatch;
    if (!element_count(std::span(extents).subspan(free ? 1 : 0)))
      call.fail(fmt::format("makes the impossible shape {}", to_string(extents)));
  }
  return result;
}

std::vector<OnnxRange> slice_call(const OnnxCall& call) {
  const auto starts = call.numbers("starts", 1);
  const auto ends = call.numbers("ends", 2);
  if (!starts || !ends) call.fail("has no starts or no ends");
  return slice_ranges(call.extents(0), *starts, *ends, call.numbers("axes", 3),
                      call.numbers("steps", 4).value_or(std::vector<std::int64_t>{}));
}

std::vector<std::int64_t> split_sizes(const OnnxCall& call, std::int64_t extent) {
  const auto outputs = static_cast<std::int64_t>(call.node.outputs.size());
  if (const auto sizes = call.numbers("split", 1)) {
    std::int64_t sum = 0;
    for (const auto size : *sizes) {
      if (size < 0 || size > extent - sum) call.fail("splits into parts that do not add up");
      sum += size;
    }
    if (std::ssize(*sizes) != outputs || sum != extent) call.fail("splits into parts that do not add up");
    return *sizes;
  }
  if (outputs < 1 || int_attribute(call.node, "num_outputs", outputs) != outputs)
    call.fail("its num_outputs is not the number of its outputs");
  // Since operator set 18 the last part may be smaller; before, the parts had to be equal.
  const auto part = (extent + outputs - 1) / outputs;
  const auto last = extent - part * (outputs - 1);
  if (last < 0 || (last != part && call.opset < 18)) call.fail(fmt::format("splits {} into {} equal parts", extent, outputs));
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(outputs), part);
  sizes.back() = last;
  return sizes;
}

OnnxPadding pad_call(const OnnxCall& call) {
  const auto rank = call.extents(0).size();
  const auto pads = call.numbers(has_attribute(call.node, "paddings") ? "paddings" : "pads", 1);
  if (!pads) call.fail("has no pads");
  std::vector<std::size_t> axes(rank);
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  if (const auto written = call.numbers("axes", 3)) {
    axes.clear();
    for (const auto axis : *written) axes.push_back(front_axis(axis, rank));
  }
  if (pads->size() != 2 * axes.size()) call.fail(fmt::format("has {} pads for {} axes", pads->size(), axes.size()));
  OnnxPadding result{std::vector<std::int64_t>(rank, 0), std::vector<std::int64_t>(rank, 0)};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    result.before[axes[i]] = (*pads)[i];
    result.after[axes[i]] = (*pads)[axes.size() + i];
  }
  return result;
}

std::vector<std::size_t> reduced_axes(const OnnxCall& call) {
  const auto rank = call.extents(0).size();
  const auto written = call.numbers("axes", 1);
  std::vector<std::size_t> axes;
  if (!written || written->empty()) {
    if (int_attribute(call.node, "noop_with_empty_axes", 0) != 0) return axes;
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), std::size_t{0});
    return axes;
  }
  for (const auto axis : *written) axes.push_back(front_axis(axis, rank));
  return axes;
}

}  // namespace alexnet
