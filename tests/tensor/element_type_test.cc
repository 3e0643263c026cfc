#include "tensor/element_type.h"

#include <bit>
#include <cmath>
#include <limits>

namespace alexnet {
namespace {

TEST(ElementType, NamesAndSizesAgreeWithSafetensors) {
  struct Case {
    ElementType type;
    std::string_view name;
    std::size_t size;
  };
  for (const auto& c : {Case{ElementType::f64, "F64", 8}, Case{ElementType::f32, "F32", 4}, Case{ElementType::f16, "F16", 2},
                        Case{ElementType::bf16, "BF16", 2}, Case{ElementType::i64, "I64", 8}, Case{ElementType::i32, "I32", 4},
                        Case{ElementType::i16, "I16", 2}, Case{ElementType::i8, "I8", 1}, Case{ElementType::u64, "U64", 8},
                        Case{ElementType::u32, "U32", 4}, Case{ElementType::u16, "U16", 2}, Case{ElementType::u8, "U8", 1},
                        Case{ElementType::boolean, "BOOL", 1}}) {
    EXPECT_EQ(name(c.type), c.name);
    EXPECT_EQ(size_of(c.type), c.size) << c.name;
    EXPECT_EQ(element_type_named(c.name), c.type) << c.name;
  }
  EXPECT_EQ(element_type_named("f32"), std::nullopt);
}

TEST(HalfFloats, EveryFiniteF16SurvivesTheRoundTrip) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float wide = f16_to_f32(half);
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(wide)))) << fmt::format("{:04x}", bits);
    } else {
      EXPECT_EQ(f32_to_f16(wide), half) << fmt::format("{:04x}", bits);
    }
  }
}

TEST(HalfFloats, NarrowingRoundsToNearestEven) {
  struct Case {
    float value;
    std::uint16_t f16;
    std::uint16_t bf16;
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const auto& c :
       {Case{0.0f, 0x0000, 0x0000}, Case{-0.0f, 0x8000, 0x8000}, Case{1.0f, 0x3c00, 0x3f80}, Case{-2.0f, 0xc000, 0xc000},
        Case{1.0f + 0x1p-11f, 0x3c00, 0x3f80},    // halfway, to even below
        Case{1.0f + 0x1.8p-10f, 0x3c02, 0x3f80},  // halfway, to even above
        Case{1.0f + 0x1p-8f, 0x3c04, 0x3f80},     // bf16: halfway, to even below
        Case{1.0f + 0x1.8p-7f, 0x3c0c, 0x3f82},   // bf16: halfway, to even above
        Case{65504.0f, 0x7bff, 0x4780}, Case{65519.0f, 0x7bff, 0x4780}, Case{65520.0f, 0x7c00, 0x4780},
        Case{0x1p-24f, 0x0001, 0x3380}, Case{0x1p-25f, 0x0000, 0x3300}, Case{0x1.8p-25f, 0x0001, 0x3340},
        Case{0x1.ff8p-15f, 0x03ff, 0x3880}, Case{0x1.ffcp-15f, 0x0400, 0x3880},  // the largest subnormal, and past it
        Case{kInfinity, 0x7c00, 0x7f80}, Case{-kInfinity, 0xfc00, 0xff80}, Case{3e38f, 0x7c00, 0x7f62}}) {
    EXPECT_EQ(f32_to_f16(c.value), c.f16) << c.value;
    EXPECT_EQ(f32_to_bf16(c.value), c.bf16) << c.value;
  }
  EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(std::nanf("")))));
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7f800001u)))));
}

}  // namespace
}  // namespace alexnet
