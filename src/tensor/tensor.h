// A dense row-major tensor: its shape, its element type, and shared bytes that it owns or looks at.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "tensor/element_type.h"
#include "tensor/shape.h"

namespace alexnet {

// Copies share their bytes. Writing through one copy is seen by all, so only whoever allocated a tensor writes to it.
class Tensor {
 public:
  static constexpr std::size_t kAlignment = 64;

  Tensor() = default;
  // Zeroed and aligned to kAlignment. Throws Error of kind resources when memory runs out.
  static Tensor allocate(ElementType type, const Shape& shape);
  static Tensor zeros(const Shape& shape) { return allocate(ElementType::f32, shape); }
  // Looks at bytes kept alive by `owner`; they must be aligned to the element and as many as shape and type say.
  static Tensor view(ElementType type, const Shape& shape, std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
  // The same for bytes from a file, which are copied if they are not aligned to the element.
  static Tensor view_or_copy(ElementType type, const Shape& shape, std::span<const std::byte> bytes,
                             std::shared_ptr<const void> owner);
  // A tensor of these values.
  template <typename T>
  static Tensor of(const Shape& shape, std::span<const T> values);

  const Shape& shape() const { return shape_; }
  ElementType type() const { return type_; }
  std::size_t byte_count() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const { return bytes_; }
  std::span<std::byte> mutable_bytes();

  // The elements; T must be the C++ type of type(). f16 and bf16 are read through bytes() or widened().
  template <typename T>
  std::span<const T> values() const;
  template <typename T>
  std::span<T> mutable_values();

  // The same bytes under another shape with as many elements.
  Tensor reshaped(const Shape& shape) const;

 private:
  Shape shape_;
  ElementType type_ = ElementType::f32;
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
  bool writable_ = false;
};

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// The tensor's values as f32, rounded to nearest where f32 is narrower; the tensor itself if it is f32 already.
Tensor widened(const Tensor& tensor);

template <typename T>
Tensor Tensor::of(const Shape& shape, std::span<const T> values) {
  Tensor result = allocate(*kElementTypeOf<T>, shape);
  assert(static_cast<std::size_t>(shape.elements()) == values.size());
  std::copy(values.begin(), values.end(), result.mutable_values<T>().begin());
  return result;
}

template <typename T>
std::span<const T> Tensor::values() const {
  assert(kElementTypeOf<T> == type_);
  return {reinterpret_cast<const T*>(bytes_.data()), static_cast<std::size_t>(shape_.elements())};
}

template <typename T>
std::span<T> Tensor::mutable_values() {
  assert(kElementTypeOf<T> == type_);
  return {reinterpret_cast<T*>(mutable_bytes().data()), static_cast<std::size_t>(shape_.elements())};
}

}  // namespace alexnet
