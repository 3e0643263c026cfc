#include "tensor/weight_forms.h"

#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "tensor/moments.h"

namespace alexnet {

Tensor weight_normalised(const Tensor& g, const Tensor& v, std::size_t axis) {
  const Shape shape = v.shape();
  if (axis >= shape.rank() || g.shape().elements() != shape[axis]) {
    throw Error(ErrorKind::model, "",
                fmt::format("a norm of shape {} does not fit axis {} of {}", to_string(g.shape()), axis, to_string(shape)));
  }
  const auto inner = static_cast<std::size_t>(Shape(shape.extents().subspan(axis + 1)).elements());
  const auto rows = static_cast<std::size_t>(shape[axis]);
  const auto row_of = [&](std::size_t i) { return i / inner % rows; };
  const auto values = v.values<float>();
  std::vector<double> factors(rows, 0);
  for (std::size_t i = 0; i < values.size(); ++i)
    factors[row_of(i)] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  for (std::size_t row = 0; row < rows; ++row) factors[row] = static_cast<double>(g.values<float>()[row]) / std::sqrt(factors[row]);
  Tensor result = Tensor::zeros(shape);
  const auto w = result.mutable_values<float>();
  for (std::size_t i = 0; i < values.size(); ++i) w[i] = static_cast<float>(static_cast<double>(values[i]) * factors[row_of(i)]);
  return result;
}

Tensor centred(const Tensor& weight) {
  const auto values = weight.values<float>();
  const auto taps = values.size() / static_cast<std::size_t>(weight.shape()[0]);
  Tensor result = Tensor::zeros(weight.shape());
  const auto w = result.mutable_values<float>();
  for (std::size_t at = 0; at < values.size(); at += taps) {
    const double mean = moments(values.subspan(at, taps)).mean;
    for (std::size_t i = at; i < at + taps; ++i) w[i] = static_cast<float>(static_cast<double>(values[i]) - mean);
  }
  return result;
}

}  // namespace alexnet
