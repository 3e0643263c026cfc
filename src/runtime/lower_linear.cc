#include <utility>

#include "runtime/lower_int8.h"
#include "runtime/lower_layers.h"
#include "runtime/own_kernels.h"
#include "runtime/simd/sparse_rows.h"

namespace alexnet {

void lower_linear(ProgramBuilder& at, const Linear& layer) {
  if (lower_int8_linear(at, layer)) return;
  const Node* relu = at.following_relu();
  const Shape in = at.shape(at.source());
  const Weight& weight = at.weight("weight");
  const Weight* bias = at.optional_weight(layer.bias, "bias");
  const int threads = at.options().threads;
  const SimdLevel level = at.instructions().simd;
  const bool bf16 = at.options().precision == Precision::bf16;
  const bool sparse = weight.storage == Storage::int8_sparse && in[1] <= kMostSparseColumns;
  auto choice = sparse ? own_sparse_linear(in, weight, bias, relu != nullptr, level, at.prepared())
                       : own_linear(in, weight, bias, relu != nullptr, at.options().rows, threads, level, bf16);
  at.compute(std::move(choice), relu, static_cast<std::uint64_t>(weight.shape.elements()));
}

}  // namespace alexnet
