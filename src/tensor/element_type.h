// Element types of tensors, named as safetensors names them, and the conversions of the two 16-bit float types.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace alexnet {

enum class ElementType { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean };

std::size_t size_of(ElementType type);
std::string_view name(ElementType type);  // "F32"
std::optional<ElementType> element_type_named(std::string_view name);

// IEEE 754 binary16 and bfloat16, as their bits. Widening is exact; narrowing rounds to nearest even and keeps NaN. Without
// branches and calls, so that loops over them become vector code: weights are widened each time a network is compiled.
inline float f16_to_f32(std::uint16_t bits) {
  constexpr std::uint32_t kRebias = (127 - 15) << 23;
  const std::uint32_t magnitude = (bits & 0x7fffu) << 13;
  const std::uint32_t exponent = magnitude & 0x0f800000;
  // Infinity and NaN keep all bits of the exponent set; subnormals gain a leading one, which the subtraction takes off again.
  const std::uint32_t special = exponent == 0x0f800000 ? kRebias : 0;
  const std::uint32_t subnormal = exponent == 0 ? 1u << 23 : 0;
  const float offset = exponent == 0 ? 0x1p-14f : 0.0f;
  const float value = std::bit_cast<float>(magnitude + kRebias + special + subnormal) - offset;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | (bits & 0x8000u) << 16);
}

inline std::uint16_t f32_to_f16(float value) {
  const auto all = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = all & 0x7fffffff;
  const std::uint32_t sign = all >> 16 & 0x8000;
  // Below 2^-14 the sum with 0.5 has the result's steps, 2^-24, as its last place, and rounds to them.
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000;
  // A carry out of the fraction moves the exponent on, up to infinity.
  const std::uint32_t normal = (magnitude - ((127 - 15) << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
  const std::uint32_t special = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
  const std::uint32_t bits = magnitude < 0x38800000 ? subnormal : magnitude >= 0x47800000 ? special : normal;
  return static_cast<std::uint16_t>(sign | bits);
}

inline float bf16_to_f32(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

inline std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
  const bool nan = (bits & 0x7fffffff) > 0x7f800000;
  return static_cast<std::uint16_t>(nan ? bits >> 16 | 0x40 : rounded >> 16);
}

template <typename T>
inline constexpr std::optional<ElementType> kElementTypeOf = std::nullopt;
template <>
inline constexpr std::optional<ElementType> kElementTypeOf<double> = ElementType::f64;
template <>
inline constexpr std::optional<ElementType> kElementTypeOf<float> = ElementType::f32;
template <>
inline constexpr std::optional<ElementType> kElementTypeOf<std::int64_t> = ElementType::i64;
template <>
inline constexpr std::optional<ElementType> kElementTypeOf<std::int32_t> = ElementType::i32;
template <>
inline constexpr std::optional<ElementType> kElementTypeOf<std::int8_t> = ElementType::i8;
template <>
inline constexpr std::optional<ElementType> kElementTypeOf<std::uint8_t> = ElementType::u8;

}  // namespace alexnet
