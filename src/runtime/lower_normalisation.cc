#include <utility>

#include "runtime/lower_layers.h"
#include "runtime/onednn/primitives.h"
#include "runtime/own_kernels.h"

namespace alexnet {

// bench_normalisation, one thread, shapes of AlexNet: of oneDNN's time our kernel takes 0.7 to 0.9 in blocks of channels (0.5 to
// 0.8 with AVX2), 0.8 to 0.9 with channels last and AVX-512, but 1.0 to 1.2 in the other layouts.
void lower_lrn(ProgramBuilder& at, const Lrn& layer) {
  const Shape in = at.shape(at.source());
  auto primitive = in.rank() == 4 ? onednn_lrn(layer, in, at.value(at.source()).layout) : std::nullopt;
  const bool generated = primitive && !is_reference(*primitive);
  Choice own = own_lrn(layer, in, at.value(at.source()).layout, at.options().threads, at.instructions().simd);
  const bool faster = own.source.order == Order::blocked ||
                      (own.source.order == Order::channels_last && at.instructions().simd >= SimdLevel::avx512);
  if (generated && !faster) return at.compute(std::move(*primitive));
  own.note = generated   ? "faster than oneDNN's in this layout"
             : primitive ? "oneDNN has only its reference for these numbers"
                         : "oneDNN has no such windows";
  at.compute(std::move(own));
}

void lower_batch_norm(ProgramBuilder& at, const BatchNorm& layer) {
  const Node* relu = at.following_relu();
  const BatchNormWeights weights{.mean = &at.weight("mean"),
                                 .variance = &at.weight("variance"),
                                 .scale = at.optional_weight(layer.scale, "scale"),
                                 .offset = at.optional_weight(layer.offset, "offset")};
  auto primitive = onednn_batch_norm(layer, at.shape(at.source()), at.value(at.source()).layout, weights, relu != nullptr);
  if (!primitive) return at.reference();
  at.compute(std::move(*primitive), relu);
}

void lower_softmax(ProgramBuilder& at, const Softmax& layer) {
  auto primitive = onednn_softmax(layer, at.shape(at.source()), at.value(at.source()).layout);
  if (!primitive) return at.reference();
  at.compute(std::move(*primitive));
}

}  // namespace alexnet
