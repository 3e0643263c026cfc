// A learned tensor in the form in which it is stored.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace alexnet {

enum class Storage { f32, f16, bf16, int8, int8_sparse };

std::string_view name(Storage storage);  // "int8-sparse"
std::optional<Storage> storage_named(std::string_view name);

// f32, f16, bf16: `data` has the weight's shape. int8: `data` is I8 of that shape, element = q * scale of its output channel
// (the first axis), -127 <= q <= 127, `scale` F32 [out]. int8_sparse: `mask` U8 [out, row_bytes()] has one bit an element,
// row-major over [out, everything else], least significant bit first, each row padded with zero bits to a byte; `data` I8
// [values] holds the elements whose bit is set, row by row.
struct Weight {
  Shape shape;
  Storage storage = Storage::f32;
  Tensor data;
  Tensor scale;
  Tensor mask;

  static Weight of(const Tensor& f32) {
    return {.shape = f32.shape(), .storage = Storage::f32, .data = f32, .scale = {}, .mask = {}};
  }
};

using Weights = std::map<std::string, Weight>;  // by full name, LAYER.PARAMETER

// A weight as rows, one for each output channel: how many, of how many elements, and the bytes that a row of the mask takes.
struct Rows {
  std::int64_t count;
  std::int64_t elements;
  std::int64_t mask_bytes;
};
Rows rows(const Shape& shape);

// All elements as f32.
Tensor widened(const Weight& weight);

// The f32 tensor stored another way. int8 is symmetric: scale = largest magnitude of the output channel / 127, elements
// rounded to nearest even; int8_sparse drops the elements that become zero. Throws Error of kind model for elements that
// the storage cannot hold: beyond the range of f16, not finite for int8, rank 0 and 1 for int8.
Weight stored(const Tensor& f32, Storage storage);

// Bytes that the stored form takes.
std::uint64_t byte_count(const Weight& weight);

// Where the first NaN or infinity stands and how many there are; nothing if all elements (or scales) are finite.
struct NonFinite {
  std::int64_t first;
  std::int64_t count;
};
std::optional<NonFinite> non_finite(const Weight& weight);

}  // namespace alexnet
