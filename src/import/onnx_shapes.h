// The extents of what ONNX operators make, from those of what they read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/onnx.h"
#include "import/onnx_axes.h"
#include "import/onnx_values.h"

namespace alexnet {

// What a node reads in one place: a constant, a value of known extents, or nothing.
struct OnnxOperand {
  const OnnxConstant* constant = nullptr;
  std::optional<Extents> extents;  // a constant's too

  bool absent() const { return !extents; }
};

// A node with what it reads and the rules of its file.
struct OnnxCall {
  const OnnxNode& node;
  std::span<const OnnxOperand> operands;
  std::int64_t opset;
  std::optional<std::int64_t> written_batch;  // the size of the batch that the file was made for

  // The operand at this place; absent beyond the last one.
  const OnnxOperand& operand(std::size_t index) const;
  // Its extents; throws Error of kind model if it is absent.
  const Extents& extents(std::size_t index) const;
  // Whole numbers that stand in an attribute of old operator sets and in an input of newer ones; nothing if absent. Throws Error of
  // kind model if the input is not constant.
  std::optional<std::vector<std::int64_t>> numbers(const std::string& attribute, std::size_t index) const;
  // The same for one number.
  std::optional<double> number(const std::string& attribute, std::size_t index) const;

  [[noreturn]] void fail(std::string message) const;
};

// The extents of each output. Throws Error of kind model for a call against the operator's rules or an operator without rules here.
std::vector<Extents> output_extents(const OnnxCall& call);

// Whether there are rules for the operator.
bool has_extent_rule(const std::string& op_type);

// Parameters of calls whose shape rules are parsed into something that more than the shape depends on.
std::vector<OnnxRange> slice_call(const OnnxCall& call);
std::vector<std::int64_t> split_sizes(const OnnxCall& call, std::int64_t extent);
struct OnnxPadding {
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
};
OnnxPadding pad_call(const OnnxCall& call);
// The axes over which a reduction goes, from the front.
std::vector<std::size_t> reduced_axes(const OnnxCall& call);

}  // namespace alexnet
