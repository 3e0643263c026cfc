#include "layers/axes.h"

#include <algorithm>

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {

Index index_of(const Shape& shape, std::int64_t place) {
  Index index{};
  for (auto axis = shape.rank(); axis-- > 0; place /= shape[axis]) index[axis] = place % shape[axis];
  return index;
}

std::int64_t place_of(const Shape& shape, const Index& index) {
  std::int64_t place = 0;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) place = place * shape[axis] + index[axis];
  return place;
}

void require_axis(const Shape& shape, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(shape.rank());
  if (axis >= 1 && axis < rank) return;
  if (rank <= 1) throw Error(ErrorKind::model, "", fmt::format("the input {} has no axis behind its batch", to_string(shape)));
  throw Error(ErrorKind::model, "",
              fmt::format("axis is {}, the input {} has the axes 1 to {} behind its batch", axis, to_string(shape), rank - 1));
}

Shape broadcast_shape(std::span<const Shape> inputs) {
  Shape result = inputs[0];
  for (const auto& input : inputs.subspan(1)) {
    bool fits = input.rank() == result.rank();
    for (std::size_t axis = 0; fits && axis < result.rank(); ++axis) {
      fits = input[axis] == result[axis] || input[axis] == 1 || result[axis] == 1;
      if (result[axis] == 1) result[axis] = input[axis];
    }
    if (!fits) {
      throw Error(
          ErrorKind::model, "",
          fmt::format("wants inputs of one shape, or 1 along an axis, found {} and {}", to_string(inputs[0]), to_string(input)));
    }
  }
  return result;
}

std::int64_t broadcast_place(const Shape& input, const Shape& output, const Index& index) {
  std::int64_t place = 0;
  for (std::size_t axis = 0; axis < output.rank(); ++axis) place = place * input[axis] + (input[axis] == 1 ? 0 : index[axis]);
  return place;
}

}  // namespace alexnet
