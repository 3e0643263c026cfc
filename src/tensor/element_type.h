// Element types of tensors, named as safetensors names them, and the conversions of the two 16-bit float types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace alexnet {

enum class ElementType { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean };

std::size_t size_of(ElementType type);
std::string_view name(ElementType type);  // "F32"
std::optional<ElementType> element_type_named(std::string_view name);

// IEEE 754 binary16 and bfloat16, as their bits. Widening is exact; narrowing rounds to nearest even and keeps NaN.
float f16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_f16(float value);
float bf16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_bf16(float value);

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
