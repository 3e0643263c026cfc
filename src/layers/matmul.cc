#include "layers/matmul.h"

#include <fmt/format.h>

#include "alexnet/error.h"
#include "layers/axes.h"

namespace alexnet {

Shape output_shape(const MatMul&, std::span<const Shape> inputs) {
  const Shape& a = inputs[0];
  const Shape& b = inputs[1];
  const auto rank = a.rank();
  if (rank < 3 || b.rank() != rank || a[rank - 1] != b[rank - 2]) {
    throw Error(ErrorKind::model, "",
                fmt::format("wants inputs of shape Nx...xMxK and Nx...xKxP, found {} and {}", to_string(a), to_string(b)));
  }
  const Shape outer[] = {Shape(a.extents().first(rank - 2)), Shape(b.extents().first(rank - 2))};
  const Shape common = broadcast_shape(outer);
  Shape result = a;
  for (std::size_t axis = 0; axis < common.rank(); ++axis) result[axis] = common[axis];
  result[rank - 1] = b[rank - 1];
  return result;
}

std::vector<Parameter> parameters(const MatMul&, std::span<const Shape>) { return {}; }

Tensor reference(const MatMul& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const Shape shapes[] = {inputs[0].shape(), inputs[1].shape()};
  const Shape out = output_shape(layer, shapes);
  const auto row_axis = out.rank() - 2;
  const auto column_axis = out.rank() - 1;
  const auto terms = shapes[0][column_axis];
  const auto a = inputs[0].values<float>();
  const auto b = inputs[1].values<float>();
  Tensor result = Tensor::zeros(out);
  std::int64_t place = 0;
  for (float& y : result.mutable_values<float>()) {
    const auto index = index_of(out, place++);
    double sum = 0;
    for (std::int64_t k = 0; k < terms; ++k) {
      Index left = index;
      Index right = index;
      left[column_axis] = k;
      right[row_axis] = k;
      for (std::size_t axis = 0; axis < row_axis; ++axis) {
        if (shapes[0][axis] == 1) left[axis] = 0;
        if (shapes[1][axis] == 1) right[axis] = 0;
      }
      sum += static_cast<double>(a[static_cast<std::size_t>(place_of(shapes[0], left))]) *
             static_cast<double>(b[static_cast<std::size_t>(place_of(shapes[1], right))]);
    }
    y = static_cast<float>(sum);
  }
  return result;
}

}  // namespace alexnet
