#include "runtime/winograd.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "runtime/simd/winograd.h"
#include "runtime/winograd_transform.h"

namespace alexnet {
namespace {

// Tiles that share one reading of the weights, which is a few times that of what is read and written for a tile: four images of
// 13 x 13. With 27 x 27 one image is enough, and with more the tensors between the transformations leave the caches (conv2 of
// `paper`, four images on one thread of a Cascade Lake: 10.7 ms by one, 11.3 by two, 18.1 by four; conv4: 7.9, 7.6, 6.9).
constexpr std::int64_t kTiles = 100;

// Below, the transformations take longer than the products that they save.
constexpr std::int64_t kFewest = 32;

struct Kind {
  std::int64_t taps;
  WinogradForm form;
  std::string_view name;
  double error_growth;
};

// By the taps that are left when blocks of stride x stride pixels have become channels. 13 x 13 outputs are 5 x 5 tiles of 3, and
// 27 x 27 are 9 x 9. On one thread of a Cascade Lake, milliseconds for four images, direct / 3x3 / 4x4 outputs: conv3 7.9 / 4.7 /
// 5.0, conv4 12.7 / 6.9 / 7.7, conv5 7.6 / 4.7 / 5.2; conv2 direct / 2x2 / 3x3: 23.2 / 20.0 / 10.7, in two groups 12.5 / 17.2
// / 8.0.
std::optional<Kind> kind_for(const Convolution& layer) {
  const bool square = layer.kernel[0] == layer.kernel[1] && layer.stride[0] == layer.stride[1];
  if (!square || layer.dilation != Extent2{1, 1}) return std::nullopt;
  const auto taps = (layer.kernel[0] + layer.stride[0] - 1) / layer.stride[0];
  if (layer.stride[0] > 1) {
    if (taps == 3 && layer.groups == 1)
      return Kind{3, WinogradForm::f4_3, "F(4x4,3x3) on blocks of pixels", winograd_error_growth<4, 3>()};
    return std::nullopt;
  }
  if (taps == 3) return Kind{3, WinogradForm::f3_3, "F(3x3,3x3)", winograd_error_growth<3, 3>()};
  if (taps == 5) return Kind{5, WinogradForm::f3_5, "F(3x3,5x5)", winograd_error_growth<3, 5>()};
  return std::nullopt;
}

// G w G^T of each filter, rounded once, in the order in which the kernel reads: group, point, panel of outputs, input, output.
template <std::size_t kOutputs, std::size_t kTaps>
Tensor transformed(const Tensor& weight, const WinogradLayer& layer, const WinogradPanel& panel) {
  constexpr auto kMatrices = winograd_matrices<kOutputs, kTaps>();
  constexpr auto kSize = static_cast<std::int64_t>(kMatrices.kSize);
  constexpr auto kBlock = std::int64_t{4};  // filters at once, which the compiler turns into vectors
  const auto kernel = weight.shape()[2];
  const auto blocks = layer.stride * layer.stride;
  const auto depth = weight.shape()[1] * blocks;
  const auto width = layer.out_channels / layer.groups;
  Tensor result = Tensor::allocate(ElementType::f32, {layer.groups, kSize * kSize, width, depth});
  const float* taps = weight.values<float>().data();
  float* to = result.mutable_values<float>().data();
#pragma omp parallel for schedule(static)
  for (std::int64_t first = 0; first < layer.out_channels; first += kBlock) {
    const auto group = first / width;
    const auto column = first % width / (panel.lanes * panel.vectors) * panel.lanes * panel.vectors;
    const auto together = std::min(panel.lanes * panel.vectors, width - column);
    for (std::int64_t channel = 0; channel < depth; ++channel) {
      const auto inner_y = channel / layer.stride % layer.stride;
      const auto inner_x = channel % layer.stride;
      double filter[kTaps][kTaps][kBlock] = {};
      for (std::size_t i = 0; i < kTaps; ++i) {
        for (std::size_t j = 0; j < kTaps; ++j) {
          const auto y = static_cast<std::int64_t>(i) * layer.stride + inner_y;
          const auto x = static_cast<std::int64_t>(j) * layer.stride + inner_x;
          if (y >= kernel || x >= kernel) continue;
          for (std::int64_t b = 0; b < kBlock; ++b) {
            const auto at = (first + b) * weight.shape()[1] + channel / blocks;
            filter[i][j][b] = static_cast<double>(taps[(at * kernel + y) * kernel + x]);
          }
        }
      }
      double half[kSize][kTaps][kBlock] = {};
      for (std::size_t i = 0; i < kSize; ++i)
        for (std::size_t k = 0; k < kTaps; ++k)
          for (std::size_t j = 0; j < kTaps; ++j)
            for (std::int64_t b = 0; b < kBlock; ++b) half[i][j][b] += kMatrices.weight[i][k] * filter[k][j][b];
      for (std::size_t i = 0; i < kSize; ++i) {
        for (std::size_t j = 0; j < kSize; ++j) {
          double sum[kBlock] = {};
          for (std::size_t k = 0; k < kTaps; ++k)
            for (std::int64_t b = 0; b < kBlock; ++b) sum[b] += kMatrices.weight[j][k] * half[i][k][b];
          const auto point = group * kSize * kSize + static_cast<std::int64_t>(i) * kSize + static_cast<std::int64_t>(j);
          float* row = to + (point * width + column) * depth + channel * together + first % width - column;
          for (std::int64_t b = 0; b < kBlock; ++b) row[b] = static_cast<float>(sum[b]);
        }
      }
    }
  }
  return result;
}

Tensor transformed(const Tensor& weight, const WinogradLayer& layer, const WinogradPanel& panel) {
  switch (layer.form) {
    case WinogradForm::f4_3: return transformed<4, 3>(weight, layer, panel);
    case WinogradForm::f3_5: return transformed<3, 5>(weight, layer, panel);
    case WinogradForm::f3_3: break;
  }
  return transformed<3, 3>(weight, layer, panel);
}

}  // namespace

std::optional<Choice> own_winograd(const Convolution& layer, const Shape& input, const Layout& source, const Weight& weight,
                                   const Weight* bias, bool relu, std::int64_t slice, SimdLevel level,
                                   const std::shared_ptr<WeightStore>& store) {
  const auto kind = kind_for(layer);
  if (!kind || level < SimdLevel::avx2) return std::nullopt;
  const bool strided = layer.stride[0] > 1;
  if (strided && source != Layout{}) return std::nullopt;
  const Shape output = output_shape(layer, std::span(&input, 1));
  const WinogradLayer fixed{.form = kind->form,
                            .channels = input[1],
                            .height = input[2],
                            .width = input[3],
                            .out_channels = output[1],
                            .out_height = output[2],
                            .out_width = output[3],
                            .groups = layer.groups,
                            .stride = layer.stride[0],
                            .top = layer.padding[0],
                            .left = layer.padding[1]};
  const auto panel = winograd_panel(level);
  const auto depth = fixed.channels * fixed.stride * fixed.stride / fixed.groups;
  const auto width = fixed.out_channels / fixed.groups;
  const auto whole = [&](std::int64_t channels) { return channels % panel.lanes == 0 && channels >= kFewest; };
  if (!whole(depth) || !whole(width)) return std::nullopt;

  const auto outputs = winograd_outputs(kind->form);
  const auto size = outputs + kind->taps - 1;
  const auto tiles = ((output[2] + outputs - 1) / outputs) * ((output[3] + outputs - 1) / outputs);
  Choice choice;
  choice.implementation = fmt::format("own:winograd {}", kind->name);
  choice.error_growth = kind->error_growth;
  choice.source = strided ? Layout{} : Layout{.order = Order::channels_last};
  choice.destination = {.order = Order::channels_last};
  choice.slice_rows = std::clamp<std::int64_t>(kTiles / tiles, 1, slice);
  choice.scratch_bytes = winograd_scratch_bytes(fixed, choice.slice_rows);
  choice.created_bytes = static_cast<std::uint64_t>(fixed.out_channels * depth * size * size) * sizeof(float);
  choice.weight_bytes = choice.created_bytes + (bias == nullptr ? 0 : byte_count(*bias));
  choice.prepare = [=, choice_name = choice.implementation, weight = weight,
                    bias = bias == nullptr ? Weight{} : *bias]() -> Kernel {
    Fingerprint key;
    key.add(choice_name).add(layer.stride[0]).add(layer.groups).add(panel.lanes).add(panel.vectors);
    const Shape shape{fixed.groups, size * size, width, depth};
    const Tensor taps = prepared(store.get(), add(key, weight), ElementType::f32, shape,
                                 [&] { return transformed(widened(weight), fixed, panel); });
    const Tensor offsets = bias.shape.rank() == 0 ? Tensor() : widened(bias);
    const auto zeros = std::make_shared<const std::vector<float>>(static_cast<std::size_t>(depth * fixed.groups));
    const auto kernel = winograd_kernel(level);
    const Run run = [=](const StepMemory& at) {
      kernel({.layer = fixed,
              .source = reinterpret_cast<const float*>(at.sources[0]),
              .destination = reinterpret_cast<float*>(at.destination),
              .weight = taps.values<float>().data(),
              .bias = offsets.byte_count() == 0 ? nullptr : offsets.values<float>().data(),
              .zeros = zeros->data(),
              .scratch = reinterpret_cast<float*>(at.scratch),
              .images = at.rows,
              .relu = relu});
    };
    return [run] { return run; };
  };
  return choice;
}

}  // namespace alexnet
