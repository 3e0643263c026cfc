// Response normalisation of our own as choices. `threads` is what the plan was made for.
#pragma once

#include <optional>

#include "layers/lrn.h"
#include "layers/max_pool.h"
#include "runtime/instruction_set.h"
#include "runtime/kernel.h"
#include "runtime/quantisation.h"

namespace alexnet {

// f32 in the given layout, unless that has blocks that a tower does not fill: then row-major.
Choice own_lrn(const Lrn& layer, const Shape& input, const Layout& layout, int threads, SimdLevel level);

// Whether own_lrn_pool() can do it.
bool has_lrn_pool(const Lrn& layer, const MaxPool* pool);
// Channels last, from f32 to f32, or from u8 to u8 `as` is given; without a pool if that is null.
Choice own_lrn_pool(const Lrn& layer, const MaxPool* pool, const Shape& input, const Layout& source,
                    const std::optional<Quantisation>& as, int threads, SimdLevel level);

}  // namespace alexnet
