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
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  float magnitude = 0;
  if (exponent == 31) {
    const std::uint32_t wide = 0x7f800000u | static_cast<std::uint32_t>(fraction) << 13;
    magnitude = std::bit_cast<float>(wide);
  } else {
    magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                              : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  }
  return std::copysign(magnitude, bits & 0x8000 ? -1.0f : 1.0f);
}

std::uint16_t f32_to_f16(float value) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00);
  if (magnitude >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00);  // halfway beyond the largest, 65504
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  // One unit of the result's last place; scaling by it is exact, so only nearbyint rounds.
  const int ulp = std::max(exponent - 11, -24);
  const auto steps = static_cast<int>(std::nearbyint(std::ldexp(magnitude, -ulp)));
  // Steps of 2048 (rounded up to the next binade) carry into the exponent by themselves.
  const int bits = ulp == -24 ? steps : ((ulp + 24) << 10) + steps;
  return static_cast<std::uint16_t>(sign | bits);
}

float bf16_to_f32(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace alexnet
