// Layers that rearrange axes: places in a tensor as one index an axis, and checks of axis numbers. The batch is axis 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/shape.h"

namespace alexnet {

using Index = std::array<std::int64_t, Shape::kMaxRank>;

// The index of the element at this place in row-major order, and back.
Index index_of(const Shape& shape, std::int64_t place);
std::int64_t place_of(const Shape& shape, const Index& index);

// Throws Error of kind model unless the shape has this axis behind its batch.
void require_axis(const Shape& shape, std::int64_t axis);

// What elementwise layers make of several inputs, which have the same rank and along each axis the same extent or 1. Throws Error
// of kind model for others.
Shape broadcast_shape(std::span<const Shape> inputs);
// Where the element of `output` at this index comes from in an input of such a layer.
std::int64_t broadcast_place(const Shape& input, const Shape& output, const Index& index);

}  // namespace alexnet
