#include "runtime/lower_layers.h"
#include "runtime/own_kernels.h"

namespace alexnet {

void lower_linear(ProgramBuilder& at, const Linear& layer) {
  const Node* relu = at.following_relu();
  const Shape in = at.shape(at.source());
  const auto own = at.weight("weight").storage == Storage::int8_sparse ? own_sparse_linear : own_linear;
  at.compute(own(in, at.weight("weight"), at.optional_weight(layer.bias, "bias"), relu != nullptr, kRows, at.options().threads,
                 at.instructions().simd),
             relu, static_cast<std::uint64_t>(at.weight("weight").shape.elements()));
}

}  // namespace alexnet
