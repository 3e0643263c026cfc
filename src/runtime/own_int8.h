// Our own kernels around int8 arithmetic as choices. `threads` is what the plan was made for.
#pragma once

#include <memory>
#include <optional>

#include "model/weight.h"
#include "runtime/instruction_set.h"
#include "runtime/kernel.h"
#include "runtime/prepared.h"
#include "runtime/quantisation.h"

namespace alexnet {

// From row-major f32 to u8 in the same order for (N, features), to blocks of pixels, channels last, for pictures and maps.
Choice own_quantise(const Shape& input, const Quantisation& as, int threads, SimdLevel level);
Choice own_quantise_blocks(const Shape& input, const Padding4& padding, const BlockConvolution& blocks, const Quantisation& as,
                           int threads, SimdLevel level);

// From rows of u8 to rows of f32, or of u8 if `as` is given. At most `rows` at once. What pruned weights need besides comes from
// `store`, if there is one.
Choice own_int8_linear(const Shape& input, const Layout& source, const Weight& weight, const Weight* bias, bool relu,
                       const std::optional<Quantisation>& as, std::int64_t rows, int threads, const InstructionSet& instructions,
                       const std::shared_ptr<WeightStore>& store = nullptr);

}  // namespace alexnet
