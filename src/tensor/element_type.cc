#include "tensor/element_type.h"

#include <array>

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

}  // namespace alexnet
