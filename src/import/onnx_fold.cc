#include "import/onnx_fold.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/text.h"
#include "formats/onnx_tensor.h"
#include "import/onnx_attributes.h"
#include "import/onnx_fold_rules.h"

namespace alexnet {
namespace {

std::string joined_done(const std::string& before, std::string_view now) {
  if (now.empty()) return before;
  return before.empty() ? std::string(now) : fmt::format("{}, {}", before, now);
}

using Index = std::array<std::int64_t, Shape::kMaxRank>;

// A tensor whose element at each index is the source's at `from(index)`.
Tensor rearranged(const Tensor& source, const Shape& to, FoldBudget& budget,
                  const std::function<std::int64_t(const Index&)>& from) {
  budget.take(to.elements(), source.type());
  Tensor result = Tensor::allocate(source.type(), to);
  const auto size = size_of(source.type());
  std::byte* at = result.mutable_bytes().data();
  Index index{};
  for (std::int64_t i = 0; i < to.elements(); ++i, at += size) {
    std::memcpy(at, source.bytes().data() + static_cast<std::size_t>(from(index)) * size, size);
    for (auto axis = to.rank(); axis-- > 0;) {
      if (++index[axis] < to[axis]) break;
      index[axis] = 0;
    }
  }
  return result;
}

FoldResult from_attributes(const OnnxCall& call, FoldBudget&) {
  const auto& node = call.node;
  const auto find = [&]<typename T>(const char* name, T) {
    return node.attributes.contains(name) ? std::get_if<T>(&node.attributes.at(name)) : nullptr;
  };
  Tensor tensor;
  if (const auto* value = find("value", Tensor{})) {
    tensor = *value;
  } else if (const auto* whole = find("value_int", std::int64_t{})) {
    tensor = whole_tensor({*whole}, {});
  } else if (const auto* wholes = find("value_ints", std::vector<std::int64_t>{})) {
    tensor = whole_tensor(*wholes, {std::ssize(*wholes)});
  } else if (const auto* number = find("value_float", float{})) {
    tensor = Tensor::of<float>({}, std::span(number, 1));
  } else if (const auto* numbers = find("value_floats", std::vector<float>{})) {
    tensor = Tensor::of<float>({std::ssize(*numbers)}, *numbers);
  } else {
    call.fail("holds no value of a kind that is read");
  }
  return {{{tensor, node.outputs.at(0), ""}}};
}

FoldResult constant_of_shape(const OnnxCall& call, FoldBudget& budget) {
  const auto extents = integers(constant_operand(call, 0).tensor, "its shape");
  if (!all_known(extents)) return std::nullopt;
  Tensor value = Tensor::zeros({1});
  if (has_attribute(call.node, "value")) {
    const auto* written = std::get_if<Tensor>(&call.node.attributes.at("value"));
    if (written == nullptr || written->shape().elements() != 1) call.fail("its value is not one number");
    value = *written;
  }
  const Shape to = checked_shape(call, extents);
  budget.take(to.elements(), value.type());
  Tensor filled = Tensor::allocate(value.type(), to);
  for (auto at = filled.mutable_bytes(); !at.empty(); at = at.subspan(value.byte_count()))
    std::ranges::copy(value.bytes(), at.begin());
  return {{{filled, "", ""}}};
}

FoldResult shape(const OnnxCall& call, FoldBudget&) {
  const auto& extents = call.extents(0);
  const auto rank = std::ssize(extents);
  const auto place = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const auto begin = place(int_attribute(call.node, "start", 0));
  const auto end = std::max(begin, place(int_attribute(call.node, "end", rank)));
  return {{{whole_tensor({extents.begin() + begin, extents.begin() + end}, {end - begin}), "", ""}}};
}

FoldResult size(const OnnxCall& call, FoldBudget&) {
  const auto count = element_count(call.extents(0));
  if (!count) return std::nullopt;
  return {{{whole_tensor({*count}, {}), "", ""}}};
}

FoldResult gather(const OnnxCall& call, FoldBudget& budget) {
  const auto& data = constant_operand(call, 0);
  const auto from = data.tensor.shape();
  auto indices = integers(constant_operand(call, 1).tensor, "its indices");
  const auto axis = front_axis(int_attribute(call.node, "axis", 0), from.rank());
  for (auto& index : indices) {
    if (index < 0) index += from[axis];
    if (index < 0 || index >= from[axis]) call.fail(fmt::format("takes element {} of {}", index, from[axis]));
  }
  const auto to = checked_shape(call, output_extents(call)[0]);
  const auto inner = strides_of(from)[axis];
  const auto outer_step = inner * from[axis];
  const auto many = static_cast<std::int64_t>(indices.size());
  std::int64_t place = 0;
  // Row-major order of the output is outer axes, indices, inner axes.
  return {{made_from(data,
                     rearranged(data.tensor, to, budget,
                                [&](const Index&) {
                                  const auto at = place++;
                                  const auto chosen = indices[static_cast<std::size_t>(at / inner % many)];
                                  return at / (inner * many) * outer_step + chosen * inner + at % inner;
                                }),
                     "gathered")}};
}

FoldResult same_order(const OnnxCall& call, FoldBudget&) {
  const auto& data = constant_operand(call, 0);
  return {{made_from(data, data.tensor.reshaped(checked_shape(call, output_extents(call)[0])), "")}};
}

FoldResult transpose(const OnnxCall& call, FoldBudget& budget) {
  const auto& data = constant_operand(call, 0);
  const auto order = permutation(ints_attribute(call.node, "perm"), data.tensor.shape().rank());
  const auto strides = strides_of(data.tensor.shape());
  return {{made_from(data,
                     rearranged(data.tensor, checked_shape(call, output_extents(call)[0]), budget,
                                [&](const Index& index) {
                                  std::int64_t place = 0;
                                  for (std::size_t i = 0; i < order.size(); ++i) place += index[i] * strides[order[i]];
                                  return place;
                                }),
                     "transposed")}};
}

OnnxConstant sliced(const OnnxConstant& data, const std::vector<OnnxRange>& ranges, FoldBudget& budget) {
  Shape to = data.tensor.shape();
  Index begin{}, step{};
  step.fill(1);
  for (const auto& range : ranges) {
    to[range.axis] = range.count;
    begin[range.axis] = range.begin;
    step[range.axis] = range.step;
  }
  const auto strides = strides_of(data.tensor.shape());
  return made_from(data,
                   rearranged(data.tensor, to, budget,
                              [&](const Index& index) {
                                std::int64_t place = 0;
                                for (std::size_t axis = 0; axis < to.rank(); ++axis)
                                  place += (begin[axis] + index[axis] * step[axis]) * strides[axis];
                                return place;
                              }),
                   "sliced");
}

FoldResult slice(const OnnxCall& call, FoldBudget& budget) {
  return {{sliced(constant_operand(call, 0), slice_call(call), budget)}};
}

FoldResult split(const OnnxCall& call, FoldBudget& budget) {
  const auto& data = constant_operand(call, 0);
  const auto axis = front_axis(int_attribute(call.node, "axis", 0), data.tensor.shape().rank());
  std::vector<OnnxConstant> parts;
  std::int64_t begin = 0;
  for (const auto count : split_sizes(call, data.tensor.shape()[axis])) {
    parts.push_back(sliced(data, {{axis, begin, count, 1}}, budget));
    begin += count;
  }
  return parts;
}

FoldResult concat(const OnnxCall& call, FoldBudget& budget) {
  const auto to = checked_shape(call, output_extents(call)[0]);
  const auto type = constant_operand(call, 0).tensor.type();
  const auto axis = front_axis(int_attribute(call.node, "axis", 1), to.rank());
  budget.take(to.elements(), type);
  Tensor result = Tensor::allocate(type, to);
  const auto outer = Shape(to.extents().first(axis)).elements();
  std::vector<std::string> sources;
  auto at = result.mutable_bytes().begin();
  for (std::int64_t i = 0; i < outer; ++i) {
    for (std::size_t part = 0; part < call.operands.size(); ++part) {
      const auto& data = constant_operand(call, part);
      if (data.tensor.type() != type) call.fail("joins tensors of different types");
      if (i == 0 && !data.source.empty()) sources.push_back(data.source);
      const auto length = data.tensor.byte_count() / static_cast<std::size_t>(outer);
      at = std::ranges::copy(data.tensor.bytes().subspan(static_cast<std::size_t>(i) * length, length), at).out;
    }
  }
  return {{{result, join(sources, " + "), "joined"}}};
}

FoldResult identity(const OnnxCall& call, FoldBudget&) { return {{constant_operand(call, 0)}}; }

using Rule = FoldResult (*)(const OnnxCall&, FoldBudget&);

const std::map<std::string, Rule>& rules() {
  static const std::map<std::string, Rule> table{
      {"Add", fold_arithmetic},
      {"Cast", fold_cast},
      {"Concat", concat},
      {"Constant", from_attributes},
      {"ConstantOfShape", constant_of_shape},
      {"Div", fold_arithmetic},
      {"Equal", fold_equal},
      {"Flatten", same_order},
      {"Gather", gather},
      {"Identity", identity},
      {"Mul", fold_arithmetic},
      {"Pow", fold_arithmetic},
      {"Reshape", same_order},
      {"Shape", shape},
      {"Size", size},
      {"Slice", slice},
      {"Split", split},
      {"Squeeze", same_order},
      {"Sub", fold_arithmetic},
      {"Transpose", transpose},
      {"Unsqueeze", same_order},
  };
  return table;
}

}  // namespace

const OnnxConstant& constant_operand(const OnnxCall& call, std::size_t index) {
  const auto* result = call.operand(index).constant;
  if (result == nullptr) call.fail(fmt::format("lacks its input {}", index));
  return *result;
}

Shape checked_shape(const OnnxCall& call, const Extents& extents) {
  const auto shape = Shape::make(extents);
  if (!shape) call.fail(fmt::format("makes the impossible shape {}", to_string(extents)));
  return *shape;
}

Tensor whole_tensor(const std::vector<std::int64_t>& values, const Shape& shape) { return Tensor::of<std::int64_t>(shape, values); }

bool all_known(const std::vector<std::int64_t>& values) { return std::ranges::find(values, kBatch) == values.end(); }

std::array<std::int64_t, Shape::kMaxRank> strides_of(const Shape& shape) {
  std::array<std::int64_t, Shape::kMaxRank> strides{};
  std::int64_t stride = 1;
  for (auto axis = shape.rank(); axis-- > 0; stride *= shape[axis]) strides[axis] = stride;
  return strides;
}

OnnxConstant made_from(const OnnxConstant& from, Tensor tensor, std::string_view done) {
  return {std::move(tensor), from.source, joined_done(from.done, done)};
}

void FoldBudget::take(std::int64_t elements, ElementType type) {
  const auto bytes = checked_multiply(static_cast<std::uint64_t>(elements), static_cast<std::uint64_t>(size_of(type)));
  if (!bytes || *bytes > bytes_) throw Error(ErrorKind::model, "", "makes larger constants than a network of this size needs");
  bytes_ -= *bytes;
}

bool can_fold(const std::string& op_type) { return rules().contains(op_type); }

std::optional<std::vector<OnnxConstant>> fold(const OnnxCall& call, FoldBudget& budget) {
  const auto rule = rules().find(call.node.op_type);
  if (rule == rules().end()) return std::nullopt;
  return rule->second(call, budget);
}

}  // namespace alexnet
