// What ONNX operators make of constants: the arithmetic of shapes that exporters write, and rearranged weights.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "import/onnx_shapes.h"

namespace alexnet {

// Bounds what folding may make, as files can ask for any amount.
class FoldBudget {
 public:
  explicit FoldBudget(std::uint64_t bytes) : bytes_(bytes) {}
  // Throws Error of kind model if the tensors made so far and this one exceed the budget.
  void take(std::int64_t elements, ElementType type);

 private:
  std::uint64_t bytes_;
};

// Whether the operator can be computed from constants.
bool can_fold(const std::string& op_type);

// The outputs of a call whose operands are all constant, or whose outputs depend on extents only (Shape, Size). Nothing if the
// result is not known because a free batch is in it. Throws Error of kind model for a call against the operator's rules.
std::optional<std::vector<OnnxConstant>> fold(const OnnxCall& call, FoldBudget& budget);

}  // namespace alexnet
