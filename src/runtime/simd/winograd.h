// Convolution by Winograd's method on (N, H, W, C) tensors: transformed inputs, one matrix product for each element of a
// transformed tile, transformed back.
#pragma once

#include <cstdint>

#include "runtime/instruction_set.h"

namespace alexnet {

// Outputs and taps along each axis: F(3x3, 5x5).
enum class WinogradForm { f3_3, f4_3, f3_5 };

// One image. With a stride of s the source is (C, H, W), and its blocks of s x s pixels become channels first: a convolution of
// stride 1 with ceil(kernel / s) taps. Channels of a group (then those) are whole vectors, and so are those of the output.
struct WinogradLayer {
  WinogradForm form{};
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t out_channels = 0;
  std::int64_t out_height = 0;
  std::int64_t out_width = 0;
  std::int64_t groups = 1;
  std::int64_t stride = 1;
  std::int64_t top = 0;  // padding
  std::int64_t left = 0;
};

struct WinogradArguments {
  WinogradLayer layer;
  const float* source = nullptr;
  float* destination = nullptr;
  const float* weight = nullptr;  // see transformed() in runtime/winograd.cc
  const float* bias = nullptr;    // out_channels; may be null
  const float* zeros = nullptr;   // `channels` of them
  float* scratch = nullptr;       // winograd_scratch_bytes()
  std::int64_t images = 0;        // at most those that scratch is for
  bool relu = false;
};

// Each sum has one fixed order: the bits of an image depend neither on the other images nor on the threads. Opens one parallel
// region.
using WinogradKernel = void (*)(const WinogradArguments&);
WinogradKernel winograd_kernel(SimdLevel level);

std::uint64_t winograd_scratch_bytes(const WinogradLayer& layer, std::int64_t images);

// Outputs of a form along an axis.
std::int64_t winograd_outputs(WinogradForm form);

// Floats in a vector of this level, and vectors of output channels whose weights lie together.
struct WinogradPanel {
  std::int64_t lanes;
  std::int64_t vectors;
};
WinogradPanel winograd_panel(SimdLevel level);

}  // namespace alexnet
