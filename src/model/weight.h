// A learned tensor in the form in which it is stored.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace alexnet {

enum class Storage { f32, f16, bf16, int8, int8_sparse };

std::string_view name(Storage storage);  // "int8-sparse"

// f32, f16, bf16: `data` has the weight's shape. int8: `data` is I8 of that shape, element = q * scale of its output channel
// (the first axis), `scale` F32 [out]. int8_sparse: `mask` U8 has one bit an element, row-major over [out, everything else],
// least significant bit first, each row padded with zero bits to a byte; `data` holds the non-zero elements as I8, row by row.
struct Weight {
  Shape shape;
  Storage storage = Storage::f32;
  Tensor data;
  Tensor scale;
  Tensor mask;

  static Weight of(const Tensor& f32) { return {.shape = f32.shape(), .storage = Storage::f32, .data = f32, .scale = {}, .mask = {}}; }
};

using Weights = std::map<std::string, Weight>;  // by full name, LAYER.PARAMETER

// All elements as f32.
Tensor widened(const Weight& weight);

// The f32 tensor stored another way. int8 is symmetric, scale = largest magnitude of the output channel / 127, rounded to
// nearest even; int8_sparse drops the elements that become zero.
Weight stored(const Tensor& f32, Storage storage);

// Bytes that the stored form takes.
std::uint64_t byte_count(const Weight& weight);

}  // namespace alexnet
