// How each kind of layer that has more than one way to run is lowered: each function adds the steps of the node that `at` is at.
#pragma once

#include <span>
#include <utility>

#include "runtime/own_norms.h"
#include "runtime/program_builder.h"

namespace alexnet {

// Of a convolution with this output, for one sample.
std::uint64_t multiply_adds(const ProgramBuilder& at, const Shape& output);

void lower_convolution(ProgramBuilder& at, const Convolution& layer);
void lower_linear(ProgramBuilder& at, const Linear& layer);
void lower_lrn(ProgramBuilder& at, const Lrn& layer);
void lower_batch_norm(ProgramBuilder& at, const BatchNorm& layer);
// The kinds that only our own kernels compute.
template <typename Kind>
void lower_norm(ProgramBuilder& at, const Kind& layer) {
  const Shape in = at.shape(at.source());
  Choice choice = own_norm(layer, {in, at.weights(std::span(&in, 1)), at.options().threads, at.instructions().simd});
  choice.whole_batch = batch_coupled(layer);
  at.compute(std::move(choice));
}
void lower_softmax(ProgramBuilder& at, const Softmax& layer);
void lower_max_pool(ProgramBuilder& at, const MaxPool& layer);
void lower_average_pool(ProgramBuilder& at, const AveragePool& layer);
void lower_adaptive_average_pool(ProgramBuilder& at, const AdaptiveAveragePool& layer);

}  // namespace alexnet
