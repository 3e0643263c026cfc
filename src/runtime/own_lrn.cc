#include "runtime/own_lrn.h"

#include <algorithm>
#include <span>

#include "runtime/own_kernels.h"
#include "runtime/simd/lrn.h"
#include "runtime/simd/lrn_pool.h"

namespace alexnet {

Choice own_lrn(const Lrn& layer, const Shape& input, const Layout& layout, int threads, SimdLevel level) {
  const bool within = layer.region == LrnRegion::within_channel;
  Choice choice;
  choice.implementation = own_name("lrn", level);
  const bool whole_blocks = layout.order == Order::channels_last || input[1] / layer.groups % layout.block == 0;
  if (!within && layout.type == ElementType::f32 && whole_blocks) choice.source = choice.destination = layout;
  // Axes behind the channel are all alike to a window across channels.
  const auto height = within ? input[2] : 1;
  const auto width = input.elements() / std::max<std::int64_t>(1, input[0] * input[1] * height);
  const auto furthest = within ? std::max(height, width) : input[1];
  const auto [before, after] = reach(layer);
  const auto size = static_cast<double>(layer.local_size);
  const LrnArguments fixed{.region = layer.region,
                           .samples = input[0],
                           .channels = input[1],
                           .height = height,
                           .width = width,
                           .block = choice.source.order == Order::channels_last ? input[1]
                                    : choice.source.order == Order::blocked     ? layout.block
                                                                                : 0,
                           .reach = {std::min(before, furthest), std::min(after, furthest)},
                           .groups = within ? 1 : layer.groups,
                           .factor = static_cast<float>(layer.alpha / (within ? size * size : size)),
                           .beta = static_cast<float>(layer.beta),
                           .k = static_cast<float>(layer.k)};
  choice.scratch_bytes = lrn_scratch_bytes(fixed, threads);
  choice.prepare = [=, kernel = lrn_kernel(fixed, level)] {
    return stateless([=](const StepMemory& at) {
      LrnArguments arguments = fixed;
      arguments.source = reinterpret_cast<const float*>(at.sources[0]);
      arguments.destination = reinterpret_cast<float*>(at.destination);
      arguments.scratch = reinterpret_cast<float*>(at.scratch);
      kernel(arguments);
    });
  };
  return choice;
}

bool has_lrn_pool(const Lrn& layer, const MaxPool* pool) {
  return layer.region == LrnRegion::across_channels && layer.k > 0 && layer.alpha >= 0 &&
         (pool == nullptr || pool->dilation == Extent2{1, 1});
}

Choice own_lrn_pool(const Lrn& layer, const MaxPool* pool, const Shape& input, const Layout& source,
                    const std::optional<Quantisation>& as, int threads, SimdLevel level) {
  const Shape output = pool == nullptr ? input : output_shape(*pool, std::span(&input, 1));
  const Window window =
      pool == nullptr ? Window{.kernel = {1, 1}} : Window{.kernel = pool->kernel, .stride = pool->stride, .padding = pool->padding};
  const auto scale = static_cast<double>(source.scale);
  const LrnPoolArguments fixed{.channels = input[1],
                               .height = input[2],
                               .width = input[3],
                               .reach = reach(layer),
                               .groups = layer.groups,
                               .factor = static_cast<float>(layer.alpha / static_cast<double>(layer.local_size) * scale * scale),
                               .beta = static_cast<float>(layer.beta),
                               .k = static_cast<float>(layer.k),
                               .window = window,
                               .output = {output[2], output[3]},
                               .scale = as ? source.scale / as->scale : 1,
                               .most = as ? static_cast<float>(as->most) : 0};
  Choice choice;
  choice.implementation = own_name(pool == nullptr ? "lrn" : "lrn_pool", level);
  choice.source = choice.destination = source;
  if (as) choice.destination.scale = as->scale;
  choice.scratch_bytes = lrn_pool_scratch_bytes(fixed, as ? 1 : sizeof(float), threads);
  choice.prepare = [fixed, kernel = as ? u8_lrn_pool_kernel(level) : lrn_pool_kernel(level)] {
    return stateless([=](const StepMemory& at) {
      LrnPoolArguments arguments = fixed;
      arguments.source = at.sources[0];
      arguments.destination = at.destination;
      arguments.scratch = at.scratch;
      kernel(arguments);
    });
  };
  return choice;
}

}  // namespace alexnet
