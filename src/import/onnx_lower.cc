#include "import/onnx_lower.h"

#include <map>

#include <fmt/format.h>

#include "base/text.h"

namespace alexnet {
namespace {

using Lower = void (*)(const OnnxLowering&);

const std::map<std::string, Lower>& table() {
  static const std::map<std::string, Lower> all{
      {"Add", lower_arithmetic},
      {"AveragePool", lower_average_pool},
      {"BatchNormalization", lower_batch_normalization},
      {"Clip", lower_clip},
      {"Concat", lower_concat},
      {"Conv", lower_conv},
      {"Div", lower_arithmetic},
      {"Dropout", lower_dropout},
      {"Flatten", lower_reshape},
      {"Gemm", lower_gemm},
      {"GlobalAveragePool", lower_global_average_pool},
      {"GlobalMaxPool", lower_global_max_pool},
      {"GroupNormalization", lower_group_normalization},
      {"InstanceNormalization", lower_instance_normalization},
      {"LRN", lower_lrn},
      {"LayerNormalization", lower_layer_normalization},
      {"MatMul", lower_mat_mul},
      {"MaxPool", lower_max_pool},
      {"Mul", lower_arithmetic},
      {"Pad", lower_pad},
      {"ReduceMean", lower_reduce_mean},
      {"Relu", lower_relu},
      {"Reshape", lower_reshape},
      {"Slice", lower_slice},
      {"Softmax", lower_softmax},
      {"Split", lower_split},
      {"Squeeze", lower_reshape},
      {"Sub", lower_arithmetic},
      {"Transpose", lower_transpose},
      {"Unsqueeze", lower_reshape},
  };
  return all;
}

// Second outputs (masks, places of maxima, statistics) are made by no layer.
void refuse_extra_outputs(const OnnxOp& op, const OnnxBuilder& builder) {
  if (op.node.op_type == "Split") return;
  for (std::size_t i = 1; i < op.node.outputs.size(); ++i) {
    const auto& value = op.node.outputs[i];
    if (value.empty() || !builder.is_needed(value)) continue;
    throw Error(ErrorKind::model, "", fmt::format("its output {} is not supported, only its first", shown(value)));
  }
}

}  // namespace

const OnnxConstant* OnnxLowering::parameter(std::size_t index, std::string_view what) const {
  const auto& operand = call.operand(index);
  if (operand.absent()) return nullptr;
  if (operand.constant == nullptr)
    call.fail(fmt::format("its {} {} is known only when the network runs", what, shown(input(index))));
  return operand.constant;
}

const OnnxConstant& OnnxLowering::required_parameter(std::size_t index, std::string_view what) const {
  const auto* result = parameter(index, what);
  if (result == nullptr) call.fail(fmt::format("has no {}", what));
  return *result;
}

void lower(const OnnxOp& op, OnnxBuilder& builder) {
  const auto operands = builder.trace().operands(op.node);
  const OnnxCall call{op.node, operands, builder.trace().opset, builder.trace().written_batch};
  const OnnxLowering at{op, call, builder};
  if (op.lrn) return lower_lrn(at);
  const auto found = table().find(op.node.op_type);
  if (found == table().end()) call.fail("is supported only on constants");
  refuse_extra_outputs(op, builder);
  found->second(at);
}

std::pair<std::string, std::string> whole_pair(const OnnxLowering& at, const std::string& a, const std::string& b) {
  auto& builder = at.builder;
  std::pair<std::string, std::string> result{builder.whole(at.op, a), builder.whole(at.op, b)};
  const auto rank = std::max(builder.extents(a).size(), builder.extents(b).size());
  const auto widen = [&](const std::string& value, std::string& layer) {
    Extents extents = builder.extents(value);
    if (extents.size() == rank) return;
    extents.insert(extents.begin(), rank - extents.size(), 1);
    layer = builder.step(at.op, "axes", Reshape{.shape = extents}, {layer});
  };
  widen(a, result.first);
  widen(b, result.second);
  return result;
}

}  // namespace alexnet
