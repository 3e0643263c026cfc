#include "import/onnx_fold_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/checked.h"
#include "formats/onnx_tensor.h"
#include "import/onnx_attributes.h"

namespace alexnet {
namespace {

using Index = std::array<std::int64_t, Shape::kMaxRank>;

bool is_real(ElementType type) {
  return type == ElementType::f32 || type == ElementType::f64 || type == ElementType::f16 || type == ElementType::bf16;
}

std::vector<double> reals(const Tensor& tensor) {
  if (tensor.type() == ElementType::f64) return {tensor.values<double>().begin(), tensor.values<double>().end()};
  const Tensor wide = widened(tensor);
  return {wide.values<float>().begin(), wide.values<float>().end()};
}

Tensor real_tensor(const std::vector<double>& values, const Shape& shape, ElementType type) {
  if (type == ElementType::f64) return Tensor::of<double>(shape, values);
  std::vector<float> narrow;
  for (const double value : values) narrow.push_back(static_cast<float>(value));
  return Tensor::of<float>(shape, narrow);
}

Tensor truth(const std::vector<bool>& values, const Shape& shape) {
  Tensor result = Tensor::allocate(ElementType::boolean, shape);
  for (std::size_t i = 0; i < values.size(); ++i) result.mutable_bytes()[i] = std::byte{values[i]};
  return result;
}

// Elements of both operands side by side, as broadcasting pairs them.
template <typename T, typename Pair>
void for_pairs(const OnnxCall& call, const std::vector<T>& a, const std::vector<T>& b, const Shape& to, Pair pair) {
  const auto strides = [&](std::size_t operand) {
    const Shape from = constant_operand(call, operand).tensor.shape();
    const auto own = strides_of(from);
    Index result{};
    for (std::size_t axis = 0; axis < from.rank(); ++axis) {
      result[to.rank() - from.rank() + axis] = from[axis] == 1 ? 0 : own[axis];
    }
    return result;
  };
  const auto left = strides(0);
  const auto right = strides(1);
  for (std::int64_t i = 0; i < to.elements(); ++i) {
    std::int64_t rest = i, x = 0, y = 0;
    for (auto axis = to.rank(); axis-- > 0; rest /= to[axis]) {
      x += rest % to[axis] * left[axis];
      y += rest % to[axis] * right[axis];
    }
    pair(a[static_cast<std::size_t>(x)], b[static_cast<std::size_t>(y)]);
  }
}

std::optional<std::int64_t> whole_arithmetic(const std::string& op, std::int64_t a, std::int64_t b) {
  if (op == "Add") return checked_add(a, b);
  if (op == "Mul") return checked_multiply(a, b);
  if (op == "Sub") return b == std::numeric_limits<std::int64_t>::min() ? std::nullopt : checked_add(a, -b);
  if (op == "Div" && b != 0 && b != -1) return a / b;
  if (op == "Div" && b == -1) return checked_multiply<std::int64_t>(a, -1);
  return std::nullopt;
}

double real_arithmetic(const std::string& op, double a, double b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  return std::pow(a, b);
}

}  // namespace

FoldResult fold_cast(const OnnxCall& call, FoldBudget& budget) {
  const auto& data = constant_operand(call, 0);
  const auto to = onnx_element_type(int_attribute(call.node, "to", 0));
  if (!to) call.fail(fmt::format("casts to {}, which is not supported", onnx_type_name(int_attribute(call.node, "to", 0))));
  const auto& tensor = data.tensor;
  if (*to == tensor.type()) return {{data}};
  budget.take(tensor.shape().elements(), *to);
  // Weights in f16 stay what they are: they are widened where they are used.
  if (is_real(*to) && is_real(tensor.type())) {
    return {{made_from(data, *to == ElementType::f64 ? real_tensor(reals(tensor), tensor.shape(), *to) : widened(tensor), "cast")}};
  }
  if (is_real(*to)) return {{made_from(data, real_tensor(reals(tensor), tensor.shape(), *to), "cast")}};
  if (*to == ElementType::boolean) {
    std::vector<bool> values;
    for (const double value : reals(tensor)) values.push_back(value != 0);
    return {{made_from(data, truth(values, tensor.shape()), "cast")}};
  }
  if (*to != ElementType::i64 && *to != ElementType::i32) call.fail(fmt::format("casts to {}, which is not supported", name(*to)));
  std::vector<std::int64_t> values;
  if (tensor.type() == ElementType::i64 || tensor.type() == ElementType::i32) {
    values = integers(tensor, "its input");
  } else {
    for (const double value : reals(tensor)) {
      if (!(std::abs(value) < 0x1p62)) call.fail("casts a number that is too large");
      values.push_back(static_cast<std::int64_t>(value));
    }
  }
  // One integer type is enough: nothing here depends on wrapping at 32 bits.
  return {{made_from(data, whole_tensor(values, tensor.shape()), "")}};
}

FoldResult fold_arithmetic(const OnnxCall& call, FoldBudget& budget) {
  const auto& a = constant_operand(call, 0);
  const auto& b = constant_operand(call, 1);
  const auto& op = call.node.op_type;
  const auto to = checked_shape(call, broadcast(extents_of(a.tensor), extents_of(b.tensor)));
  budget.take(to.elements(), ElementType::f64);
  if (is_real(a.tensor.type()) && is_real(b.tensor.type())) {
    std::vector<double> values;
    for_pairs(call, reals(a.tensor), reals(b.tensor), to, [&](double x, double y) { values.push_back(real_arithmetic(op, x, y)); });
    const bool doubles = a.tensor.type() == ElementType::f64;
    return {{made_from(a, real_tensor(values, to, doubles ? ElementType::f64 : ElementType::f32), "computed")}};
  }
  const auto left = integers(a.tensor, "its input");
  const auto right = integers(b.tensor, "its input");
  if (!all_known(left) || !all_known(right)) return std::nullopt;
  std::vector<std::int64_t> values;
  for_pairs(call, left, right, to, [&](std::int64_t x, std::int64_t y) {
    const auto value = whole_arithmetic(op, x, y);
    if (!value) call.fail(fmt::format("has no whole number as its result for {} and {}", x, y));
    values.push_back(*value);
  });
  return {{{whole_tensor(values, to), "", ""}}};
}

FoldResult fold_equal(const OnnxCall& call, FoldBudget& budget) {
  const auto left = integers(constant_operand(call, 0).tensor, "its input");
  const auto right = integers(constant_operand(call, 1).tensor, "its input");
  if (!all_known(left) || !all_known(right)) return std::nullopt;
  const auto to = checked_shape(call, output_extents(call)[0]);
  budget.take(to.elements(), ElementType::boolean);
  std::vector<bool> values;
  for_pairs(call, left, right, to, [&](std::int64_t x, std::int64_t y) { values.push_back(x == y); });
  return {{{truth(values, to), "", ""}}};
}

}  // namespace alexnet
