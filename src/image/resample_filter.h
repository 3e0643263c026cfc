// The weights of Pillow's bilinear resampling along one axis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace alexnet {

inline constexpr int kWeightBits = 22;  // 8 bits of a pixel and 2 of headroom leave 22 of 32 for a weight

// The input pixels [first, end()) make one output pixel, with the weights from `weight` on, in units of 2^-kWeightBits.
struct Taps {
  int first;
  int count;
  std::size_t weight;

  int end() const { return first + count; }
};

struct ResampleFilter {
  std::vector<Taps> taps;  // one for each output pixel; first and end() never decrease
  std::vector<std::int32_t> weights;
};

// For the outputs [begin, begin + count) when `from` pixels become `to`.
ResampleFilter make_resample_filter(int from, int to, int begin, int count, bool antialias);

}  // namespace alexnet
