#include <optional>
#include <utility>
#include <variant>

#include "runtime/lower_int8.h"
#include "runtime/lower_layers.h"
#include "runtime/onednn/primitives.h"
#include "runtime/own_lrn.h"

namespace alexnet {

// bench_normalisation, two threads, shapes of AlexNet: with AVX-512 our kernel takes 0.7 of oneDNN's time row-major, 0.5 with
// channels last and 0.4 in blocks; with AVX2 as long row-major, 0.7 to 0.9 with channels last and 0.3 to 0.4 in blocks. With the
// pool in the same pass it takes 0.9 to 1.1 of the time of two, but 1.3 to 1.5 without AVX2.
void lower_lrn(ProgramBuilder& at, const Lrn& layer) {
  if (lower_int8_lrn(at, layer)) return;
  const Shape in = at.shape(at.source());
  const Layout& source = at.value(at.source()).layout;
  const Node* reader = at.following_max_pool();
  const MaxPool* pool = reader == nullptr ? nullptr : &std::get<MaxPool>(reader->layer);
  const bool vectors = at.instructions().simd >= SimdLevel::avx2;
  if (pool != nullptr && vectors && source.type == ElementType::f32 && source.order == Order::channels_last &&
      has_lrn_pool(layer, pool)) {
    return at.compute(own_lrn_pool(layer, pool, in, source, std::nullopt, at.options().threads, at.instructions().simd), reader);
  }
  const bool bf16 = source.type == ElementType::bf16;
  auto primitive = in.rank() == 4 ? onednn_lrn(layer, in, bf16 ? source : at.f32_layout()) : std::nullopt;
  const bool generated = primitive && !is_reference(*primitive);
  Choice own = own_lrn(layer, in, at.f32_layout(), at.options().threads, at.instructions().simd);
  const bool faster = layer.region == LrnRegion::across_channels &&
                      (at.instructions().simd >= SimdLevel::avx512 || own.source.order == Order::blocked ||
                       (own.source.order == Order::channels_last && vectors));
  if (generated && (bf16 || !faster)) return at.compute(std::move(*primitive));
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
  auto primitive = onednn_batch_norm(layer, at.shape(at.source()), at.f32_layout(), weights, relu != nullptr);
  if (!primitive) return at.reference();
  at.compute(std::move(*primitive), relu);
}

void lower_softmax(ProgramBuilder& at, const Softmax& layer) {
  auto primitive = onednn_softmax(layer, at.shape(at.source()), at.f32_layout());
  if (!primitive) return at.reference();
  at.compute(std::move(*primitive));
}

}  // namespace alexnet
