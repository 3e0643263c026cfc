#include "tensor/tensor.h"

#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {
namespace {

template <typename Source, typename Convert>
void convert_all(const Tensor& source, std::span<float> dst, Convert convert) {
  const std::byte* at = source.bytes().data();
  for (float& value : dst) {
    Source element;
    std::memcpy(&element, at, sizeof element);
    value = convert(element);
    at += sizeof element;
  }
}

template <typename Source>
void cast_all(const Tensor& source, std::span<float> dst) {
  convert_all<Source>(source, dst, [](Source element) { return static_cast<float>(element); });
}

}  // namespace

Tensor Tensor::allocate(ElementType type, const Shape& shape) {
  Tensor tensor;
  tensor.shape_ = shape;
  tensor.type_ = type;
  tensor.writable_ = true;
  const std::size_t size = static_cast<std::size_t>(shape.elements()) * size_of(type);
  // Huge pages, where the kernel gives them, make first use of a large tensor some 6 times faster: most of its time is page faults.
  constexpr std::size_t kHugePage = 1 << 21;
  const std::size_t alignment = size >= 2 * kHugePage ? kHugePage : kAlignment;
  const std::size_t rounded = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw Error(ErrorKind::resources, "", fmt::format("no memory for a tensor of {} bytes", size));
  if (alignment == kHugePage) ::madvise(memory, rounded, MADV_HUGEPAGE);
  std::memset(memory, 0, rounded);
  tensor.owner_ = std::shared_ptr<void>(memory, std::free);
  tensor.bytes_ = {static_cast<const std::byte*>(memory), size};
  return tensor;
}

Tensor Tensor::view(ElementType type, const Shape& shape, std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  assert(bytes.size() == static_cast<std::size_t>(shape.elements()) * size_of(type));
  assert(reinterpret_cast<std::uintptr_t>(bytes.data()) % size_of(type) == 0);
  Tensor tensor;
  tensor.shape_ = shape;
  tensor.type_ = type;
  tensor.bytes_ = bytes;
  tensor.owner_ = std::move(owner);
  return tensor;
}

Tensor Tensor::view_or_copy(ElementType type, const Shape& shape, std::span<const std::byte> bytes,
                            std::shared_ptr<const void> owner) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % size_of(type) == 0) return view(type, shape, bytes, std::move(owner));
  Tensor copy = allocate(type, shape);
  std::copy(bytes.begin(), bytes.end(), copy.mutable_bytes().begin());
  return copy;
}

std::span<std::byte> Tensor::mutable_bytes() {
  assert(writable_);
  return {const_cast<std::byte*>(bytes_.data()), bytes_.size()};
}

Tensor Tensor::reshaped(const Shape& shape) const {
  assert(shape.elements() == shape_.elements());
  Tensor tensor = *this;
  tensor.shape_ = shape;
  return tensor;
}

Tensor widened(const Tensor& tensor) {
  if (tensor.type() == ElementType::f32) return tensor;
  Tensor wide = Tensor::zeros(tensor.shape());
  const auto dst = wide.mutable_values<float>();
  switch (tensor.type()) {
    case ElementType::f32: break;
    case ElementType::f64: cast_all<double>(tensor, dst); break;
    case ElementType::f16: convert_all<std::uint16_t>(tensor, dst, [](std::uint16_t bits) { return f16_to_f32(bits); }); break;
    case ElementType::bf16: convert_all<std::uint16_t>(tensor, dst, [](std::uint16_t bits) { return bf16_to_f32(bits); }); break;
    case ElementType::i64: cast_all<std::int64_t>(tensor, dst); break;
    case ElementType::i32: cast_all<std::int32_t>(tensor, dst); break;
    case ElementType::i16: cast_all<std::int16_t>(tensor, dst); break;
    case ElementType::i8: cast_all<std::int8_t>(tensor, dst); break;
    case ElementType::u64: cast_all<std::uint64_t>(tensor, dst); break;
    case ElementType::u32: cast_all<std::uint32_t>(tensor, dst); break;
    case ElementType::u16: cast_all<std::uint16_t>(tensor, dst); break;
    case ElementType::u8:
    case ElementType::boolean: cast_all<std::uint8_t>(tensor, dst); break;
  }
  return wide;
}

}  // namespace alexnet
