#include <algorithm>
#include <utility>

#include "runtime/lower_layers.h"
#include "runtime/onednn/primitives.h"
#include "runtime/own_kernels.h"

namespace alexnet {
namespace {

void pool(ProgramBuilder& at, Pooling pooling, WindowPool windows, bool same_divisor) {
  const Shape in = at.shape(at.source());
  const Shape out = output_shape(at.node().layer, std::span(&in, 1));
  pooling.output = {out[2], out[3]};
  if (same_divisor) {
    // The largest of u8 is u8; means are rounded once, as f32.
    const bool max = pooling.kind == Pooling::Kind::max;
    auto primitive = onednn_pooling(pooling, in, max ? at.value(at.source()).layout : at.f32_layout());
    if (primitive && !is_reference(*primitive)) return at.compute(std::move(*primitive));
  }
  Choice own = own_pool(std::move(windows), in);
  own.note = same_divisor ? "oneDNN has only its reference for these numbers" : "oneDNN has no such windows";
  at.compute(std::move(own));
}

}  // namespace

void lower_max_pool(ProgramBuilder& at, const MaxPool& layer) {
  pool(at,
       {.kind = Pooling::Kind::max,
        .window = {layer.kernel, layer.stride, layer.padding, layer.dilation, layer.rounding},
        .output = {}},
       window_pool(layer, at.shape(at.source())), /*same_divisor=*/true);
}

void lower_average_pool(ProgramBuilder& at, const AveragePool& layer) {
  // oneDNN's divisor with padding is the whole kernel, also where it hangs over the end.
  const bool hangs = layer.count_padding && layer.rounding == Rounding::ceil;
  pool(at,
       {.kind = layer.count_padding ? Pooling::Kind::average_with_padding : Pooling::Kind::average_of_present,
        .window = {layer.kernel, layer.stride, layer.padding, layer.dilation, layer.rounding},
        .output = {}},
       window_pool(layer, at.shape(at.source())), !hangs);
}

void lower_adaptive_average_pool(ProgramBuilder& at, const AdaptiveAveragePool& layer) {
  const Shape in = at.shape(at.source());
  if (in[2] == layer.output[0] && in[3] == layer.output[1]) return at.identity();
  const bool even = in[2] % layer.output[0] == 0 && in[3] % layer.output[1] == 0;
  const Extent2 size{std::max<std::int64_t>(1, in[2] / layer.output[0]), std::max<std::int64_t>(1, in[3] / layer.output[1])};
  pool(at, {.kind = Pooling::Kind::average_of_present, .window = {.kernel = size, .stride = size}, .output = {}},
       window_pool(layer, in), even);
}

}  // namespace alexnet
