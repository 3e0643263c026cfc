#include "image/resample_opencv.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace alexnet {
namespace {

constexpr float kOne = 2048;  // weights have 11 bits

struct Pair {
  int first;  // the second is the pixel behind it; both may lie outside
  std::int32_t weights[2];
};

std::vector<Pair> pairs(int from, int to, int begin, int count, bool clamp_weights) {
  const double scale = 1.0 / (static_cast<double>(to) / from);
  std::vector<Pair> result;
  result.reserve(static_cast<std::size_t>(count));
  for (int i = begin; i < begin + count; ++i) {
    const auto at = static_cast<float>((i + 0.5) * scale - 0.5);
    int first = static_cast<int>(std::floor(at));
    float rest = at - static_cast<float>(first);
    if (clamp_weights && (first < 0 || first >= from - 1)) {
      first = std::clamp(first, 0, from - 1);
      rest = 0;
    }
    result.push_back(
        {first, {static_cast<std::int32_t>(std::lrint((1.0f - rest) * kOne)), static_cast<std::int32_t>(std::lrint(rest * kOne))}});
  }
  return result;
}

void halve(const ImageView& source, const Rectangle& part, Image& result) {
  std::uint8_t* dst = result.pixels.data();
  for (int y = part.y; y < part.y + part.height; ++y) {
    const std::uint8_t* upper = source.row(2 * y) + 6 * static_cast<std::size_t>(part.x);
    const std::uint8_t* lower = source.row(2 * y + 1) + 6 * static_cast<std::size_t>(part.x);
    for (int x = 0; x < part.width; ++x, upper += 6, lower += 6) {
      for (int c = 0; c < 3; ++c) *dst++ = static_cast<std::uint8_t>((upper[c] + upper[c + 3] + lower[c] + lower[c + 3] + 2) >> 2);
    }
  }
}

// A row of the source between the passes, in units of 1 / 2048.
void across(const std::uint8_t* row, int width, const std::vector<Pair>& columns, std::vector<std::int32_t>& sums) {
  std::int32_t* dst = sums.data();
  for (const Pair& pair : columns) {
    const std::uint8_t* a = row + 3 * static_cast<std::size_t>(pair.first);
    const std::uint8_t* b = row + 3 * static_cast<std::size_t>(std::min(pair.first + 1, width - 1));
    for (int c = 0; c < 3; ++c) *dst++ = a[c] * pair.weights[0] + b[c] * pair.weights[1];
  }
}

}  // namespace

void resample_opencv(const ImageView& source, int width, int height, const Rectangle& part, Image& result) {
  if (source.width == 2 * width && source.height == 2 * height) return halve(source, part, result);
  // At the borders the weights of columns are clamped, those of rows are not: there, both taps are the same row.
  const auto columns = pairs(source.width, width, part.x, part.width, /*clamp_weights=*/true);
  const auto rows = pairs(source.height, height, part.y, part.height, /*clamp_weights=*/false);
  const std::size_t row_values = 3 * static_cast<std::size_t>(part.width);
  std::vector<std::int32_t> sums[2]{std::vector<std::int32_t>(row_values), std::vector<std::int32_t>(row_values)};
  int held[2] = {-1, -1};
  std::uint8_t* dst = result.pixels.data();
  for (const Pair& pair : rows) {
    for (int k = 0; k < 2; ++k) {
      const int y = std::clamp(pair.first + k, 0, source.height - 1);
      if (held[k] == y) continue;
      if (k == 0 && held[1] == y) {
        std::swap(sums[0], sums[1]);
        std::swap(held[0], held[1]);
        continue;
      }
      across(source.row(y), source.width, columns, sums[k]);
      held[k] = y;
    }
    for (std::size_t i = 0; i < row_values; ++i) {
      const std::int32_t upper = (pair.weights[0] * (sums[0][i] >> 4)) >> 16;
      const std::int32_t lower = (pair.weights[1] * (sums[1][i] >> 4)) >> 16;
      *dst++ = static_cast<std::uint8_t>((upper + lower + 2) >> 2);
    }
  }
}

}  // namespace alexnet
