// When a convolution runs by Winograd's method, and in which form.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "layers/convolution.h"
#include "model/weight.h"
#include "runtime/instruction_set.h"
#include "runtime/kernel.h"
#include "runtime/prepared.h"
#include "tensor/shape.h"

namespace alexnet {

// Nothing for a convolution that the method does not fit or does not make faster. `source`: the layout in which its input lies;
// `slice`: how many images there are to take at once. Transformed weights come from `store`, if there is one.
std::optional<Choice> own_winograd(const Convolution& layer, const Shape& input, const Layout& source, const Weight& weight,
                                   const Weight* bias, bool relu, std::int64_t slice, SimdLevel level,
                                   const std::shared_ptr<WeightStore>& store = nullptr);

}  // namespace alexnet
