// What the rules of folding share: see onnx_fold.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/onnx_fold.h"

namespace alexnet {

using FoldResult = std::optional<std::vector<OnnxConstant>>;

// A constant operand; throws Error of kind model if it is absent.
const OnnxConstant& constant_operand(const OnnxCall& call, std::size_t index);
// The shape of an output; throws Error of kind model for what can't be one.
Shape checked_shape(const OnnxCall& call, const Extents& extents);
Tensor whole_tensor(const std::vector<std::int64_t>& values, const Shape& shape);
// Whether no size of a free batch is among the values.
bool all_known(const std::vector<std::int64_t>& values);

// How far apart neighbours along each axis lie.
std::array<std::int64_t, Shape::kMaxRank> strides_of(const Shape& shape);

// A constant made from another one, with what was done to it.
OnnxConstant made_from(const OnnxConstant& from, Tensor tensor, std::string_view done);

// Operators that compute (onnx_fold_arithmetic.cc).
FoldResult fold_cast(const OnnxCall& call, FoldBudget& budget);
FoldResult fold_arithmetic(const OnnxCall& call, FoldBudget& budget);
FoldResult fold_equal(const OnnxCall& call, FoldBudget& budget);

}  // namespace alexnet
