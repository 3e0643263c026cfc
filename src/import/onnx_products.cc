#include "import/onnx_lower.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "import/onnx_attributes.h"

namespace alexnet {
namespace {

// The transpose of a matrix of f32, in blocks that stay in the cache.
Tensor transposed(const Tensor& matrix) {
  const Tensor wide = widened(matrix);
  const auto rows = wide.shape()[0];
  const auto columns = wide.shape()[1];
  Tensor result = Tensor::zeros({columns, rows});
  const auto* from = wide.values<float>().data();
  auto* to = result.mutable_values<float>().data();
  constexpr std::int64_t kBlock = 32;
  for (std::int64_t i = 0; i < rows; i += kBlock) {
    for (std::int64_t j = 0; j < columns; j += kBlock) {
      for (auto row = i; row < std::min(i + kBlock, rows); ++row) {
        for (auto column = j; column < std::min(j + kBlock, columns); ++column)
          to[column * rows + row] = from[row * columns + column];
      }
    }
  }
  return result;
}

Tensor scaled(const Tensor& tensor, double factor) {
  if (factor == 1) return tensor;
  const Tensor wide = widened(tensor);
  Tensor result = Tensor::zeros(wide.shape());
  std::ranges::transform(wide.values<float>(), result.mutable_values<float>().begin(),
                         [factor](float value) { return static_cast<float>(static_cast<double>(value) * factor); });
  return result;
}

// A bias of one number for each feature, from a constant that broadcasts to rows of them; nothing if it differs between rows.
std::optional<Tensor> row_bias(const Tensor& tensor, std::int64_t features) {
  const auto extents = tensor.shape().extents();
  if (extents.size() > 2 || (extents.size() == 2 && extents[0] != 1)) return std::nullopt;
  const Tensor wide = widened(tensor);
  if (wide.shape().elements() == features) return wide.reshaped({features});
  if (wide.shape().elements() != 1) return std::nullopt;
  Tensor result = Tensor::zeros({features});
  std::ranges::fill(result.mutable_values<float>(), wide.values<float>()[0]);
  return result;
}

struct Bias {
  Tensor tensor;
  const OnnxConstant& from;
  std::string_view done;
};

void add_weights(const OnnxLowering& at, const std::string& layer, const OnnxConstant& weight, bool rows_are_outputs, double alpha,
                 const std::optional<Bias>& bias) {
  std::vector<std::string> done;
  if (!rows_are_outputs) done.emplace_back("transposed");
  if (alpha != 1) done.push_back(fmt::format("times {}", shortest(alpha)));
  const Tensor matrix = rows_are_outputs ? weight.tensor : transposed(weight.tensor);
  at.builder.parameter(layer, "weight", scaled(matrix, alpha), weight, join(done, ", "));
  if (bias) at.builder.parameter(layer, "bias", bias->tensor, bias->from, bias->done);
}

// `into` is the op whose output the layer makes: the product, or the sum behind it.
void make_linear(const OnnxLowering& at, const OnnxOp& into, const OnnxConstant& weight, bool rows_are_outputs, double alpha,
                 const std::optional<Bias>& bias) {
  const Linear layer{.out_features = weight.tensor.shape()[rows_are_outputs ? 0 : 1], .bias = bias.has_value()};
  const auto name = at.builder.make(into, layer, {at.builder.samples(at.input(0))});
  add_weights(at, name, weight, rows_are_outputs, alpha, bias);
}

std::string product_of_values(const OnnxLowering& at, bool transpose_a, bool transpose_b) {
  auto [a, b] = whole_pair(at, at.input(0), at.input(1));
  const auto turn = [&](std::string& layer) {
    layer = at.builder.step(at.op, "transposed", Transpose{.permutation = {2, 1}}, {layer});
  };
  if (transpose_a) turn(a);
  if (transpose_b) turn(b);
  return at.builder.step(at.op, "product", MatMul{}, {a, b});
}

// A layer that makes `factor` times what `layer` does, unless that is the same; `channels` are the extent of axis 1.
std::string times(const OnnxLowering& at, const std::string& layer, std::int64_t channels, double factor) {
  if (factor == 1) return layer;
  const auto result = at.builder.step(at.op, "scaled", ScaleShift{.scale = true, .offset = false}, {layer});
  at.builder.will_repeat(channels);
  Tensor scale = Tensor::zeros({channels});
  std::ranges::fill(scale.mutable_values<float>(), static_cast<float>(factor));
  at.builder.parameter(result, "scale", scale, OnnxConstant{scale, "", ""});
  return result;
}

}  // namespace

void lower_gemm(const OnnxLowering& at) {
  const auto& node = at.op.node;
  const auto alpha = float_attribute(node, "alpha", 1);
  const auto beta = float_attribute(node, "beta", 1);
  const bool transpose_a = int_attribute(node, "transA", 0) != 0;
  const bool transpose_b = int_attribute(node, "transB", 0) != 0;
  const auto& b = at.call.operand(1);
  const auto& c = at.call.operand(2);
  if (b.constant != nullptr) {
    if (transpose_a) at.call.fail("multiplies a transposed value by a constant, which is not supported");
    const auto features = (*b.extents)[transpose_b ? 0 : 1];
    if (c.absent()) return make_linear(at, at.op, *b.constant, transpose_b, alpha, std::nullopt);
    const auto bias = c.constant == nullptr ? std::nullopt : row_bias(c.constant->tensor, features);
    if (!bias && c.constant != nullptr)
      at.call.fail(fmt::format("adds a constant of shape {}: only a row is supported", to_string(*c.extents)));
    const auto done = beta == 1 ? "" : fmt::format("times {}", shortest(beta));
    if (bias) return make_linear(at, at.op, *b.constant, transpose_b, alpha, Bias{scaled(*bias, beta), *c.constant, done});
    if (c.extents->size() != 2 || !at.builder.batched(at.input(2))) at.call.fail("adds a value that has no row for each sample");
    const auto product =
        at.builder.step(at.op, "product", Linear{.out_features = features, .bias = false}, {at.builder.samples(at.input(0))});
    add_weights(at, product, *b.constant, transpose_b, alpha, std::nullopt);
    at.builder.make(at.op, Add{}, {product, times(at, at.builder.source(at.input(2)), (*c.extents)[1], beta)});
    return;
  }
  if (at.call.operand(0).constant != nullptr || c.constant != nullptr) {
    at.call.fail("combines constants and values in a way that is not supported");
  }
  const auto& y = at.builder.extents(node.outputs[0]);
  const auto product = times(at, product_of_values(at, transpose_a, transpose_b), y[0], alpha);
  if (c.absent()) {
    at.builder.make_whole(at.op, Reshape{.shape = y}, {product});
    return;
  }
  Extents added = *c.extents;
  auto layer = at.builder.whole(at.op, at.input(2));
  if (added.size() < 2) {
    added.insert(added.begin(), 2 - added.size(), 1);
    layer = at.builder.step(at.op, "axes", Reshape{.shape = added}, {layer});
  }
  at.builder.make_whole(at.op, Add{}, {product, times(at, layer, added[0], beta)});
}

void lower_mat_mul(const OnnxLowering& at) {
  const auto& b = at.call.operand(1);
  if (at.call.operand(0).constant != nullptr) at.call.fail("multiplies a constant by a value, which is not supported");
  if (b.constant == nullptr) {
    const auto& left = at.input(0);
    const auto& right = at.input(1);
    const auto rank = at.builder.extents(left).size();
    if (rank >= 3 && at.builder.extents(right).size() == rank && at.builder.batched(left) && at.builder.batched(right)) {
      at.builder.make(at.op, MatMul{}, {at.builder.source(left), at.builder.source(right)});
    } else {
      const auto [a, c] = whole_pair(at, left, right);
      at.builder.make_whole(at.op, MatMul{}, {a, c});
    }
    return;
  }
  if (b.extents->size() != 2 || at.call.extents(0).size() != 2) {
    at.call.fail(fmt::format("multiplies {} by a constant of shape {}: only rows by a matrix are supported",
                             to_string(at.call.extents(0)), to_string(*b.extents)));
  }
  // A bias that is added to nothing but this becomes the layer's own.
  const auto& product = at.op.node.outputs[0];
  const auto* sum = at.builder.only_reader(product);
  if (sum != nullptr && sum->node.op_type == "Add" && sum->node.inputs.size() == 2) {
    const auto other = sum->node.inputs[0] == product ? 1u : 0u;
    const auto constant = at.builder.trace().constants.find(sum->node.inputs[other]);
    if (constant != at.builder.trace().constants.end()) {
      if (auto bias = row_bias(constant->second.tensor, (*b.extents)[1])) {
        at.builder.name_like(*sum, at.op);
        make_linear(at, *sum, *b.constant, false, 1, Bias{std::move(*bias), constant->second, ""});
        at.builder.mark_done(*sum);
        return;
      }
    }
  }
  make_linear(at, at.op, *b.constant, false, 1, std::nullopt);
}

}  // namespace alexnet
