#include "tensor/element_type.h"

#include <array>
#include <bit>
#include <cmath>

namespace alexnet {
namespace {

struct Entry {
  ElementType type;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<Entry, 13> kTypes{{
    {ElementType::f64, "F64", 8},
    {ElementType::f32, "F32", 4},
    {ElementType::f16, "F16", 2},
    {ElementType::bf16, "BF16", 2},
    {ElementType::i64, "I64", 8},
    {ElementType::i32, "I32", 4},
    {ElementType::i16, "I16", 2},
    {ElementType::i8, "I8", 1},
    {ElementType::u64, "U64", 8},
    {ElementType::u32, "U32", 4},
    {ElementType::u16, "U16", 2},
    {ElementType::u8, "U8", 1},
    {ElementType::boolean, "BOOL", 1},
}};

const Entry& entry(ElementType type) { return kTypes[static_cast<std::size_t>(type)]; }

}  // namespace

std::size_t size_of(ElementType type) { return entry(type).size; }
std::string_view name(ElementType type) { return entry(type).name; }

std::optional<ElementType> element_type_named(std::string_view name) {
  for (const auto& candidate : kTypes) {
    if (candidate.name == name) return candidate.type;
  }
  return std::nullopt;
}

float f16_to_f32(std::uint16_t bits) {
  // The fraction and exponent moved to their places in binary32; scaling by 2^112 then mends the bias, subnormals too.
  const float scaled = std::bit_cast<float>((bits & 0x7fffu) << 13) * 0x1p112f;
  auto wide = std::bit_cast<std::uint32_t>(scaled);
  if (scaled >= 65536.0f) wide |= 0x7f800000u;  // infinity and NaN
  return std::bit_cast<float>(wide | (bits & 0x8000u) << 16);
}

std::uint16_t f32_to_f16(float value) {
  const auto wide = std::bit_cast<std::uint32_t>(value);
  const auto sign = wide >> 16 & 0x8000u;
  const auto magnitude = wide & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // from 65520, halfway beyond the largest
  if (magnitude < 0x38800000u) {
    // Below 2^-14 results are multiples of 2^-24, which is the last place of a sum with 0.5: the addition rounds.
    const auto sum = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f);
    return static_cast<std::uint16_t>(sign | (sum - std::bit_cast<std::uint32_t>(0.5f)));
  }
  const auto rebased = magnitude - (112u << 23);
  return static_cast<std::uint16_t>(sign | (rebased + 0xfffu + (rebased >> 13 & 1u)) >> 13);
}

float bf16_to_f32(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace alexnet
