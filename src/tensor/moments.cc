#include "tensor/moments.h"

namespace alexnet {

Moments moments(std::span<const float> values) {
  Moments result{.count = static_cast<std::int64_t>(values.size()), .mean = 0, .squares = 0};
  if (values.empty()) return result;
  for (const float value : values) result.mean += static_cast<double>(value);
  result.mean /= static_cast<double>(values.size());
  for (const float value : values) {
    const double deviation = static_cast<double>(value) - result.mean;
    result.squares += deviation * deviation;
  }
  return result;
}

Moments merged(const Moments& a, const Moments& b) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  const auto total = static_cast<double>(a.count + b.count);
  const double apart = b.mean - a.mean;
  const double share = static_cast<double>(b.count) / total;
  return {.count = a.count + b.count,
          .mean = a.mean + apart * share,
          .squares = a.squares + b.squares + apart * apart * static_cast<double>(a.count) * share};
}

}  // namespace alexnet
