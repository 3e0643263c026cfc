#include "tasks/difference.h"

#include <cassert>
#include <cmath>
#include <limits>

namespace alexnet {
namespace {

double error_of(double found, double wanted) {
  if (std::isfinite(found) && std::isfinite(wanted)) return std::abs(found - wanted);
  const bool alike = found == wanted || (std::isnan(found) && std::isnan(wanted));
  return alike ? 0.0 : std::numeric_limits<double>::infinity();
}

}  // namespace

void DifferenceSum::add(std::span<const float> found, const Tensor& wanted) {
  assert(static_cast<std::int64_t>(found.size()) == wanted.shape().elements());
  const auto accumulate = [&](const auto& values) {
    for (std::size_t i = 0; i < found.size(); ++i, ++count_) {
      const auto a = static_cast<double>(found[i]);
      const auto b = static_cast<double>(values[i]);
      const double error = error_of(a, b);
      sum_ += error;
      if (error > largest_) {
        largest_ = error;
        at_ = count_;
        found_ = a;
        wanted_ = b;
      }
      if (!std::isfinite(a) || !std::isfinite(b)) continue;
      scale_ = std::max(scale_, std::abs(b));
      products_ += a * b;
      found_squares_ += a * a;
      wanted_squares_ += b * b;
    }
  };
  if (wanted.type() == ElementType::f64) return accumulate(wanted.values<double>());
  const Tensor wide = widened(wanted);
  accumulate(wide.values<float>());
}

Difference DifferenceSum::difference() const {
  Difference result;
  if (count_ == 0) return result;
  result.largest = largest_;
  result.mean = sum_ / static_cast<double>(count_);
  if (largest_ > 0) result.relative = scale_ > 0 ? largest_ / scale_ : std::numeric_limits<double>::infinity();
  const double squares = found_squares_ * wanted_squares_;
  if (squares > 0) {
    result.cosine = products_ / (std::sqrt(found_squares_) * std::sqrt(wanted_squares_));
  } else {
    result.cosine = found_squares_ == wanted_squares_ ? 1 : 0;
  }
  result.found = found_;
  result.wanted = wanted_;
  const Shape shape = sample_.with_batch(1);
  result.position.resize(shape.rank());
  std::int64_t rest = at_;
  for (std::size_t axis = shape.rank(); axis-- > 1;) {
    result.position[axis] = rest % shape[axis];
    rest /= shape[axis];
  }
  result.position[0] = rest;
  return result;
}

}  // namespace alexnet
