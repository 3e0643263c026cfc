// ONNX's rules for operators that rearrange axes, as functions of extents. All throw Error of kind model for what the rules forbid,
// and BatchMixed for what would touch a free batch.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "import/onnx_values.h"

namespace alexnet {

// An axis counted from the front; negative ones count from the back.
std::size_t front_axis(std::int64_t axis, std::size_t rank);

// Reshape: 0 keeps an extent (unless allow_zero), -1 is what is left over. `written_batch` is the size of the batch that the file
// was made for: as the first extent of the target it means the batch.
Extents reshaped(const Extents& from, const std::vector<std::int64_t>& target, bool allow_zero,
                 std::optional<std::int64_t> written_batch);
// Flatten: a matrix of the axes in front of `axis` and those from it on.
Extents flattened(const Extents& from, std::int64_t axis);
// Squeeze: without these axes of extent 1, or without all axes of extent 1.
Extents squeezed(const Extents& from, const std::optional<std::vector<std::int64_t>>& axes);
// Unsqueeze: with axes of extent 1 at these places of the result.
Extents unsqueezed(const Extents& from, const std::vector<std::int64_t>& axes);

// Transpose: the permutation, by default the reverse.
std::vector<std::size_t> permutation(const std::vector<std::int64_t>& written, std::size_t rank);
Extents transposed(const Extents& from, const std::vector<std::size_t>& permutation);

// What Slice takes along one axis: `count` elements begin, begin + step, ...
struct OnnxRange {
  std::size_t axis;
  std::int64_t begin;
  std::int64_t count;
  std::int64_t step;
};
std::vector<OnnxRange> slice_ranges(const Extents& from, const std::vector<std::int64_t>& starts,
                                    const std::vector<std::int64_t>& ends, const std::optional<std::vector<std::int64_t>>& axes,
                                    const std::vector<std::int64_t>& steps);

// Concat.
Extents concatenated(std::span<const Extents> parts, std::size_t axis);

// Elementwise operators with two inputs: extents are aligned at the back, and 1 fits all.
Extents broadcast(const Extents& a, const Extents& b);
// MatMul of operands with two axes or more.
Extents multiplied(const Extents& a, const Extents& b);

// The number of elements; nothing for a free batch or more than 2^62.
std::optional<std::int64_t> element_count(std::span<const std::int64_t> extents);

}  // namespace alexnet
