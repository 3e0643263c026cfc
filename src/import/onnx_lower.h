// From an operator of ONNX to layers, one function an operator. All throw Error of kind model for what our layers can't do.
#pragma once

#include <string>

#include "import/onnx_builder.h"

namespace alexnet {

// An op that is about to become layers.
struct OnnxLowering {
  const OnnxOp& op;
  const OnnxCall& call;
  OnnxBuilder& builder;

  // The name of the value that the op reads in this place.
  const std::string& input(std::size_t index) const { return op.node.inputs.at(index); }
  // A constant operand, or nullptr if it is absent. Throws Error of kind model if it is known only when the network runs.
  const OnnxConstant* parameter(std::size_t index, std::string_view what) const;
  // The same for one that must be there.
  const OnnxConstant& required_parameter(std::size_t index, std::string_view what) const;
};

// Makes the layers of the op; throws also for operators that have none.
void lower(const OnnxOp& op, OnnxBuilder& builder);

// Windows over spatial axes (onnx_windows.cc).
void lower_conv(const OnnxLowering& at);
void lower_max_pool(const OnnxLowering& at);
void lower_average_pool(const OnnxLowering& at);
void lower_global_average_pool(const OnnxLowering& at);
void lower_global_max_pool(const OnnxLowering& at);
void lower_reduce_mean(const OnnxLowering& at);

// Normalisations (onnx_norms.cc).
void lower_batch_normalization(const OnnxLowering& at);
void lower_group_normalization(const OnnxLowering& at);
void lower_instance_normalization(const OnnxLowering& at);
void lower_layer_normalization(const OnnxLowering& at);
void lower_lrn(const OnnxLowering& at);

// Elementwise operators, and Softmax (onnx_elementwise.cc).
void lower_relu(const OnnxLowering& at);
void lower_clip(const OnnxLowering& at);
void lower_dropout(const OnnxLowering& at);
void lower_softmax(const OnnxLowering& at);
void lower_arithmetic(const OnnxLowering& at);

// Matrix products (onnx_products.cc).
void lower_gemm(const OnnxLowering& at);
void lower_mat_mul(const OnnxLowering& at);

// The same values at other places (onnx_rearrange.cc).
void lower_reshape(const OnnxLowering& at);
void lower_transpose(const OnnxLowering& at);
void lower_concat(const OnnxLowering& at);
void lower_split(const OnnxLowering& at);
void lower_slice(const OnnxLowering& at);
void lower_pad(const OnnxLowering& at);

// The sum of two values that are known only when the network runs, or their product (onnx_elementwise.cc).
enum class Pairwise { sum, product };
void make_pairwise(const OnnxLowering& at, Pairwise which, const std::string& a, const std::string& b);

// Throws unless the constant has one element for each channel.
void require_one_a_channel(const OnnxLowering& at, const OnnxConstant& constant, std::string_view what, std::int64_t channels);

// Two values whole, with as many axes each: 1 is put in front of the smaller one's.
std::pair<std::string, std::string> whole_pair(const OnnxLowering& at, const std::string& a, const std::string& b);

}  // namespace alexnet
