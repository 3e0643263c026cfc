#include "import/onnx_lrn.h"

#include <algorithm>
#include <map>

#include "import/onnx_attributes.h"
#include "import/onnx_window.h"

namespace alexnet {
namespace {

class Matcher {
 public:
  explicit Matcher(const OnnxTrace& trace) : trace_(trace) {
    for (const auto& op : trace.ops) {
      for (const auto& output : op.node.outputs) makers_[output] = &op.node;
    }
  }

  // The layer and its input's name, if the node ends such a chain.
  std::optional<std::pair<Lrn, std::string>> match(const OnnxNode& divide) const {
    if (divide.op_type != "Div" || divide.inputs.size() != 2) return std::nullopt;
    const auto& x = divide.inputs[0];
    const auto power = operation("Pow", divide.inputs[1], /*either_order=*/false);
    const auto sum = power ? operation("Add", power->value) : std::nullopt;
    const auto scaled = sum ? operation("Mul", sum->value) : std::nullopt;
    if (!scaled || !trace_.extents.contains(x) || !same_extents(scaled->value, x)) return std::nullopt;
    const auto window = pooled_squares(through_reshapes(scaled->value), x);
    if (!window) return std::nullopt;
    return std::pair{Lrn{.local_size = window->size,
                         .alpha = scaled->constant,
                         .beta = power->constant,
                         .k = sum->constant,
                         .even_window = window->even_window},
                     x};
  }

 private:
  struct Operation {
    std::string value;
    double constant;
  };
  struct ChannelWindow {
    std::int64_t size;
    EvenWindow even_window;
  };

  const OnnxNode* maker(const std::string& value, const std::string& op_type) const {
    const auto found = makers_.find(value);
    return found == makers_.end() || found->second->op_type != op_type ? nullptr : found->second;
  }

  bool same_extents(const std::string& a, const std::string& b) const {
    const auto left = trace_.extents.find(a);
    const auto right = trace_.extents.find(b);
    return left != trace_.extents.end() && right != trace_.extents.end() && left->second == right->second;
  }

  // What makes `value` from another value and one number.
  std::optional<Operation> operation(const std::string& op_type, const std::string& value, bool either_order = true) const {
    const auto* node = maker(value, op_type);
    if (node == nullptr || node->inputs.size() != 2) return std::nullopt;
    for (const std::size_t place : {std::size_t{1}, std::size_t{0}}) {
      const auto constant = trace_.constants.find(node->inputs[place]);
      if (constant == trace_.constants.end() || constant->second.tensor.shape().elements() != 1) {
        if (!either_order) return std::nullopt;
        continue;
      }
      return Operation{node->inputs[1 - place], scalar(constant->second.tensor, "a factor")};
    }
    return std::nullopt;
  }

  std::string through_reshapes(std::string value) const {
    for (;;) {
      const auto found = makers_.find(value);
      if (found == makers_.end()) return value;
      const auto& op = found->second->op_type;
      if (op != "Reshape" && op != "Squeeze" && op != "Unsqueeze") return value;
      value = found->second->inputs[0];
    }
  }

  // The number of channels that `value`, which has the extents (batch, 1, channels, ...), averages of the squares of x.
  std::optional<ChannelWindow> pooled_squares(const std::string& value, const std::string& x) const {
    const auto* pool = maker(value, "AveragePool");
    const auto* pad = pool == nullptr ? nullptr : maker(pool->inputs[0], "Pad");
    const auto* square = pad == nullptr ? nullptr : maker(through_reshapes(pad->inputs[0]), "Mul");
    if (square == nullptr || square->inputs != std::vector{x, x}) return std::nullopt;

    // The squares under their new extents: samples stay samples, channels become the first spatial axis, the rest stays the rest.
    const auto& original = trace_.extents.at(x);
    const auto& squares = trace_.extents.at(pad->inputs[0]);
    if (original.size() < 3 || squares.size() < 4) return std::nullopt;
    const auto rest = [](const Extents& extents, std::ptrdiff_t from) {
      return element_count(std::span(extents).subspan(static_cast<std::size_t>(from)));
    };
    if (squares[0] != original[0] || squares[1] != 1 || squares[2] != original[1] || rest(squares, 3) != rest(original, 2))
      return std::nullopt;

    const auto operands = trace_.operands(*pad);
    const OnnxCall call{*pad, operands, trace_.opset, trace_.written_batch};
    if (text_attribute(*pad, "mode", "constant") != "constant" || call.number("value", 2).value_or(0) != 0) return std::nullopt;
    auto padding = pad_call(call);
    const auto before = std::exchange(padding.before[2], 0);
    const auto after = std::exchange(padding.after[2], 0);
    const auto none = [](const std::vector<std::int64_t>& values) {
      return std::ranges::all_of(values, [](auto each) { return each == 0; });
    };
    if (!none(padding.before) || !none(padding.after)) return std::nullopt;

    const auto& padded = trace_.extents.at(pool->inputs[0]);
    auto window = window_of(*pool, {padded.begin() + 2, padded.end()}, {});
    const auto size = std::exchange(window.kernel[0], 1);
    const auto ones = [](const std::vector<std::int64_t>& values) {
      return std::ranges::all_of(values, [](auto each) { return each == 1; });
    };
    if (!ones(window.kernel) || !ones(window.stride) || !ones(window.dilation) || !none(window.before) || !none(window.after))
      return std::nullopt;
    if (before == size / 2 && after == (size - 1) / 2) return ChannelWindow{size, EvenWindow::before};
    if (before == (size - 1) / 2 && after == size / 2) return ChannelWindow{size, EvenWindow::after};
    return std::nullopt;
  }

  const OnnxTrace& trace_;
  std::map<std::string, const OnnxNode*> makers_;
};

}  // namespace

void recognise_lrn(OnnxTrace& trace) {
  const Matcher matcher(trace);
  std::vector<std::pair<OnnxOp*, std::pair<Lrn, std::string>>> found;
  for (auto& op : trace.ops) {
    if (auto match = matcher.match(op.node)) found.emplace_back(&op, std::move(*match));
  }
  // Only now, because the matcher looks at the nodes.
  for (auto& [op, match] : found) {
    op->lrn = match.first;
    op->node.inputs = {match.second};
  }
  drop_unneeded(trace);
}

}  // namespace alexnet
