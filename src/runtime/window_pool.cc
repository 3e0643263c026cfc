#include "runtime/window_pool.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace alexnet {
namespace {

// How many of a window's taps, the first at `begin`, lie before `end`.
std::int64_t taps_before(std::int64_t end, std::int64_t begin, std::int64_t kernel, std::int64_t dilation) {
  return end <= begin ? 0 : std::min(kernel, (end - begin + dilation - 1) / dilation);
}

// `padded`: the divisor counts taps on padding, though not those beyond it.
std::vector<PoolTaps> sliding(const auto& layer, const Shape& input, std::int64_t outputs, std::size_t axis, bool padded) {
  const auto extent = input[axis + 2];
  const auto kernel = layer.kernel[axis];
  const auto dilation = layer.dilation[axis];
  std::vector<PoolTaps> result;
  for (std::int64_t i = 0; i < outputs; ++i) {
    const auto begin = i * layer.stride[axis] - layer.padding[axis];
    const auto skipped = taps_before(0, begin, kernel, dilation);
    const auto inside = taps_before(extent, begin, kernel, dilation) - skipped;
    const auto divisor = padded ? taps_before(extent + layer.padding[axis + 2], begin, kernel, dilation) : inside;
    result.push_back({begin + skipped * dilation, inside, dilation, divisor});
  }
  return result;
}

std::vector<PoolTaps> adaptive(std::int64_t input, std::int64_t outputs) {
  std::vector<PoolTaps> result;
  for (std::int64_t i = 0; i < outputs; ++i) {
    const auto first = i * input / outputs;
    const auto count = ((i + 1) * input + outputs - 1) / outputs - first;
    result.push_back({first, count, 1, count});
  }
  return result;
}

float largest(const float* source, std::int64_t width, const PoolTaps& rows, const PoolTaps& columns) {
  float result = -std::numeric_limits<float>::infinity();
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const float* at = source + (rows.first + r * rows.step) * width + columns.first;
    for (std::int64_t c = 0; c < columns.count; ++c, at += columns.step) {
      if (*at > result || std::isnan(*at)) result = *at;
    }
  }
  return result;
}

float mean(const float* source, std::int64_t width, const PoolTaps& rows, const PoolTaps& columns) {
  double sum = 0;
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const float* at = source + (rows.first + r * rows.step) * width + columns.first;
    for (std::int64_t c = 0; c < columns.count; ++c, at += columns.step) sum += static_cast<double>(*at);
  }
  return static_cast<float>(sum / static_cast<double>(rows.divisor * columns.divisor));
}

}  // namespace

WindowPool window_pool(const MaxPool& layer, const Shape& input) {
  const Shape output = output_shape(layer, std::span(&input, 1));
  return {true, input[2], input[3], sliding(layer, input, output[2], 0, false), sliding(layer, input, output[3], 1, false)};
}

WindowPool window_pool(const AveragePool& layer, const Shape& input) {
  const Shape output = output_shape(layer, std::span(&input, 1));
  const bool padded = layer.count_padding;
  return {false, input[2], input[3], sliding(layer, input, output[2], 0, padded), sliding(layer, input, output[3], 1, padded)};
}

WindowPool window_pool(const AdaptiveAveragePool& layer, const Shape& input) {
  return {false, input[2], input[3], adaptive(input[2], layer.output[0]), adaptive(input[3], layer.output[1])};
}

void run(const WindowPool& pool, std::int64_t maps, const float* source, float* destination) {
  const auto outputs = static_cast<std::int64_t>(pool.rows.size() * pool.columns.size());
#pragma omp parallel for schedule(static)
  for (std::int64_t map = 0; map < maps; ++map) {
    float* to = destination + map * outputs;
    for (const auto& rows : pool.rows) {
      for (const auto& columns : pool.columns) {
        const float* from = source + map * pool.height * pool.width;
        *to++ = pool.max ? largest(from, pool.width, rows, columns) : mean(from, pool.width, rows, columns);
      }
    }
  }
}

}  // namespace alexnet
