#include "image/resample_filter.h"

#include <algorithm>
#include <cmath>

namespace alexnet {
namespace {

double triangle(double t) { return std::abs(t) < 1.0 ? 1.0 - std::abs(t) : 0.0; }

}  // namespace

// In doubles and in Pillow's own order of operations: taken otherwise, they round otherwise.
ResampleFilter make_resample_filter(int from, int to, int begin, int count, bool antialias) {
  const double scale = static_cast<double>(from) / to;
  const double support = antialias ? std::max(scale, 1.0) : 1.0;
  const double inverse = 1.0 / support;
  ResampleFilter filter;
  filter.taps.reserve(static_cast<std::size_t>(count));
  std::vector<double> exact;
  for (int i = begin; i < begin + count; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = static_cast<int>(std::min(center + support + 0.5, static_cast<double>(from)));
    exact.clear();
    double sum = 0;
    for (int j = 0; j < last - first; ++j) {
      exact.push_back(triangle((j + first - center + 0.5) * inverse));
      sum += exact.back();
    }
    filter.taps.push_back({first, last - first, filter.weights.size()});
    for (const double weight : exact) filter.weights.push_back(static_cast<std::int32_t>(0.5 + weight / sum * (1 << kWeightBits)));
  }
  return filter;
}

}  // namespace alexnet
