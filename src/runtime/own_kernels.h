// Our own kernels as choices, on row-major f32 unless said otherwise. `threads` is what the plan was made for; each opens parallel
// regions of what ThreadScope says.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "layers/layer.h"
#include "model/weight.h"
#include "runtime/instruction_set.h"
#include "runtime/kernel.h"
#include "runtime/prepared.h"
#include "runtime/window_pool.h"

namespace alexnet {

// What the choices of our own kernels are called: "own:linear:avx512".
std::string own_name(std::string_view what, SimdLevel level);
// A kernel that is the same for all sessions.
Kernel stateless(Run run);

// Any number of rows, at most `rows`. With `bf16` f32 weights are rounded to it, which halves their bytes.
Choice own_linear(const Shape& input, const Weight& weight, const Weight* bias, bool relu, std::int64_t rows, int threads,
                  SimdLevel level, bool bf16);
// The same for a weight that is stored as int8_sparse, with at most kMostSparseColumns elements a row: any number of rows. Its
// columns come from `store`, if there is one.
Choice own_sparse_linear(const Shape& input, const Weight& weight, const Weight* bias, bool relu, SimdLevel level,
                         const std::shared_ptr<WeightStore>& store = nullptr);
Choice own_pool(WindowPool pool, const Shape& input);
// In any layout, which it keeps.
Choice own_relu(const Shape& input, const Layout& layout, SimdLevel level);
Choice own_copy(const Shape& input);
// Zeros around each plane.
Choice own_pad(const Padding4& padding, const Shape& input);
// The layer's reference(): for kinds without a faster way. It allocates while it runs.
Choice reference_layer(const Layer& layer, std::vector<Shape> inputs, std::vector<Weight> parameters);

}  // namespace alexnet
