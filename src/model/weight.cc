#include "model/weight.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {
namespace {

constexpr std::array<std::string_view, 5> kNames{"f32", "f16", "bf16", "int8", "int8-sparse"};
constexpr float kLargest = 127;

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::model, "", message); }

Tensor narrowed(const Tensor& f32, ElementType type) {
  Tensor result = Tensor::allocate(type, f32.shape());
  std::byte* at = result.mutable_bytes().data();
  for (const float value : f32.values<float>()) {
    const std::uint16_t bits = type == ElementType::f16 ? f32_to_f16(value) : f32_to_bf16(value);
    const bool overflowed = std::isfinite(value) && !std::isfinite(type == ElementType::f16 ? f16_to_f32(bits) : bf16_to_f32(bits));
    if (overflowed) refuse(fmt::format("{} is beyond the range of {}", value, name(type)));
    std::memcpy(at, &bits, sizeof bits);
    at += sizeof bits;
  }
  return result;
}

Weight quantised(const Tensor& f32) {
  if (f32.shape().rank() < 2) refuse(fmt::format("a tensor of shape {} has no rows to store as int8", to_string(f32.shape())));
  const Rows all = rows(f32.shape());
  Weight weight{.shape = f32.shape(),
                .storage = Storage::int8,
                .data = Tensor::allocate(ElementType::i8, f32.shape()),
                .scale = Tensor::zeros({all.count}),
                .mask = {}};
  const auto quantise = [](std::span<const float> src, std::span<std::int8_t> dst) {
    // Magnitudes are ordered as their bits are; both loops are in a form that compilers turn into vector code.
    std::uint32_t bits = 0;
    for (const float value : src) bits = std::max(bits, std::bit_cast<std::uint32_t>(value) & 0x7fffffffu);
    const auto largest = std::bit_cast<float>(bits);
    if (!std::isfinite(largest)) refuse("an element that is not finite cannot be stored as int8");
    const float scale = largest / kLargest;
    // A scale that vanishes takes its row with it; one so small that it lost bits could reach beyond the range.
    if (!(scale > 0)) {
      std::ranges::fill(dst, std::int8_t{0});
      return scale;
    }
    // Rounds to the nearest integer, ties to even: there are no fractions at 1.5 * 2^23.
    constexpr float kShift = 12582912;
    for (std::size_t i = 0; i < src.size(); ++i) {
      const float q = std::clamp(src[i] / scale, -kLargest, kLargest);
      dst[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(q + kShift - kShift));
    }
    return scale;
  };
  const auto length = static_cast<std::size_t>(all.elements);
  for (std::int64_t row = 0; row < all.count; ++row) {
    const std::size_t begin = static_cast<std::size_t>(row) * length;
    weight.scale.mutable_values<float>()[static_cast<std::size_t>(row)] =
        quantise(f32.values<float>().subspan(begin, length), weight.data.mutable_values<std::int8_t>().subspan(begin, length));
  }
  return weight;
}

Weight sparse(const Weight& dense) {
  const auto elements = dense.data.values<std::int8_t>();
  const auto kept = static_cast<std::int64_t>(elements.size()) - std::count(elements.begin(), elements.end(), 0);
  const Rows all = rows(dense.shape);
  Weight weight{.shape = dense.shape,
                .storage = Storage::int8_sparse,
                .data = Tensor::allocate(ElementType::i8, {kept}),
                .scale = dense.scale,
                .mask = Tensor::allocate(ElementType::u8, {all.count, all.mask_bytes})};
  auto value = weight.data.mutable_values<std::int8_t>().begin();
  auto mask = weight.mask.mutable_values<std::uint8_t>().begin();
  auto element = elements.begin();
  for (std::int64_t row = 0; row < all.count; ++row, mask += all.mask_bytes) {
    for (std::int64_t column = 0; column < all.elements; ++column, ++element) {
      if (*element == 0) continue;
      *value++ = *element;
      mask[column / 8] = static_cast<std::uint8_t>(mask[column / 8] | 1u << column % 8);
    }
  }
  return weight;
}

void widen_int8(const Weight& weight, std::span<float> dst) {
  const Rows all = rows(weight.shape);
  const std::int8_t* q = weight.data.values<std::int8_t>().data();
  float* to = dst.data();
  for (const float scale : weight.scale.values<float>()) {
    for (std::int64_t i = 0; i < all.elements; ++i) to[i] = static_cast<float>(q[i]) * scale;
    q += all.elements;
    to += all.elements;
  }
}

// `dst` is all zeros. The mask is read in words of 64 bits, of which a pruned layer has few that are set.
void widen_sparse(const Weight& weight, std::span<float> dst) {
  static_assert(std::endian::native == std::endian::little);
  const Rows all = rows(weight.shape);
  const std::int8_t* q = weight.data.values<std::int8_t>().data();
  const std::byte* mask = weight.mask.bytes().data();
  float* to = dst.data();
  for (const float scale : weight.scale.values<float>()) {
    for (std::int64_t at = 0; at < all.mask_bytes; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, mask + at, static_cast<std::size_t>(std::min<std::int64_t>(8, all.mask_bytes - at)));
      for (; word != 0; word &= word - 1) to[at * 8 + std::countr_zero(word)] = static_cast<float>(*q++) * scale;
    }
    mask += all.mask_bytes;
    to += all.elements;
  }
}

// A float is not finite if and only if all bits of its exponent are set.
template <typename Bits>
std::optional<NonFinite> non_finite(std::span<const std::byte> bytes, Bits exponent) {
  const auto count = static_cast<std::int64_t>(bytes.size() / sizeof(Bits));
  const auto bits_at = [&](std::int64_t i) {
    Bits bits;
    std::memcpy(&bits, bytes.data() + static_cast<std::size_t>(i) * sizeof bits, sizeof bits);
    return bits;
  };
  constexpr std::int64_t kBlock = 16'384;  // no early exit inside a block, so that the compiler can vectorise it
  NonFinite found{-1, 0};
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t end = std::min(count, begin + kBlock);
    std::uint32_t in_block = 0;
    for (std::int64_t i = begin; i < end; ++i) in_block += (bits_at(i) & exponent) == exponent;
    if (in_block > 0 && found.first < 0) {
      found.first = begin;
      while ((bits_at(found.first) & exponent) != exponent) ++found.first;
    }
    found.count += in_block;
  }
  if (found.count == 0) return std::nullopt;
  return found;
}

}  // namespace

std::string_view name(Storage storage) { return kNames[static_cast<std::size_t>(storage)]; }

std::optional<Storage> storage_named(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Storage>(found - kNames.begin());
}

Rows rows(const Shape& shape) {
  const std::int64_t count = shape.rank() == 0 ? 1 : shape[0];
  const std::int64_t elements = count == 0 ? 0 : shape.elements() / count;
  return {.count = count, .elements = elements, .mask_bytes = elements / 8 + (elements % 8 != 0)};
}

Tensor widened(const Weight& weight) {
  if (weight.storage == Storage::f32 || weight.storage == Storage::f16 || weight.storage == Storage::bf16) {
    return widened(weight.data);
  }
  Tensor wide = Tensor::zeros(weight.shape);
  if (weight.storage == Storage::int8) {
    widen_int8(weight, wide.mutable_values<float>());
  } else {
    widen_sparse(weight, wide.mutable_values<float>());
  }
  return wide;
}

Weight stored(const Tensor& f32, Storage storage) {
  switch (storage) {
    case Storage::f32: break;
    case Storage::f16:
    case Storage::bf16:
      return {.shape = f32.shape(),
              .storage = storage,
              .data = narrowed(f32, storage == Storage::f16 ? ElementType::f16 : ElementType::bf16),
              .scale = {},
              .mask = {}};
    case Storage::int8: return quantised(f32);
    case Storage::int8_sparse: return sparse(quantised(f32));
  }
  return Weight::of(f32);
}

std::uint64_t byte_count(const Weight& weight) {
  return weight.data.byte_count() + weight.scale.byte_count() + weight.mask.byte_count();
}

std::optional<NonFinite> non_finite(const Weight& weight) {
  switch (weight.storage) {
    case Storage::f32: return non_finite<std::uint32_t>(weight.data.bytes(), 0x7f800000);
    case Storage::f16: return non_finite<std::uint16_t>(weight.data.bytes(), 0x7c00);
    case Storage::bf16: return non_finite<std::uint16_t>(weight.data.bytes(), 0x7f80);
    case Storage::int8:
    case Storage::int8_sparse: break;
  }
  return non_finite<std::uint32_t>(weight.scale.bytes(), 0x7f800000);
}

}  // namespace alexnet
