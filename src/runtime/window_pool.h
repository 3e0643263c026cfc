// Pooling over any windows, on row-major tensors: for what oneDNN's primitive can't do.
#pragma once

#include <cstdint>
#include <vector>

#include "layers/adaptive_average_pool.h"
#include "layers/average_pool.h"
#include "layers/max_pool.h"
#include "tensor/shape.h"

namespace alexnet {

// The taps of one output row or column that lie inside the input, and its share of the divisor.
struct PoolTaps {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;
  std::int64_t divisor = 1;
};

struct WindowPool {
  bool max = false;  // else the mean
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<PoolTaps> rows;
  std::vector<PoolTaps> columns;
};

WindowPool window_pool(const MaxPool& layer, const Shape& input);
WindowPool window_pool(const AveragePool& layer, const Shape& input);
WindowPool window_pool(const AdaptiveAveragePool& layer, const Shape& input);

// Pools `maps` planes. Opens one parallel region.
void run(const WindowPool& pool, std::int64_t maps, const float* source, float* destination);

}  // namespace alexnet
