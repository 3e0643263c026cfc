#include "tensor/tensor.h"

#include <array>
#include <cstdint>

namespace alexnet {
namespace {

using testing::ElementsAre;

TEST(Shape, CountsAndPrints) {
  struct Case {
    Shape shape;
    std::int64_t elements;
    std::string text;
  };
  for (const auto& c :
       {Case{{}, 1, "scalar"}, Case{{7}, 7, "7"}, Case{{1, 3, 227, 227}, 154587, "1x3x227x227"}, Case{{4, 0, 5}, 0, "4x0x5"}}) {
    EXPECT_EQ(c.shape.elements(), c.elements) << c.text;
    EXPECT_EQ(to_string(c.shape), c.text);
  }
}

TEST(Shape, FromAFileIsCheckedForCountSignAndOverflow) {
  using Extents = std::vector<std::int64_t>;
  EXPECT_TRUE(Shape::make(Extents{2, 3}).has_value());
  EXPECT_TRUE(Shape::make(Extents(Shape::kMaxRank, 1)).has_value());
  for (const auto& refused : {Extents(Shape::kMaxRank + 1, 1), Extents{2, -1}, Extents{INT64_MAX, 2}, Extents{0, INT64_MAX, 2}}) {
    EXPECT_FALSE(Shape::make(refused).has_value()) << testing::PrintToString(refused);
  }
}

TEST(Shape, BatchIsTheLeadingExtent) {
  EXPECT_EQ(Shape({3, 4}).with_batch(2), Shape({2, 3, 4}));
  EXPECT_EQ(Shape({2, 3, 4}).without_batch(), Shape({3, 4}));
  EXPECT_NE(Shape({3, 4}), Shape({3, 4, 1}));
}

TEST(Tensor, AllocatesZeroedAlignedMemoryThatCopiesShare) {
  Tensor tensor = Tensor::zeros({3, 5});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes().data()) % Tensor::kAlignment, 0u);
  EXPECT_THAT(tensor.values<float>(), testing::Each(0.0f));
  const Tensor copy = tensor.reshaped({15});
  tensor.mutable_values<float>()[7] = 2.5f;
  EXPECT_EQ(copy.values<float>()[7], 2.5f);
  EXPECT_EQ(copy.shape(), Shape({15}));
}

TEST(Tensor, ViewKeepsItsOwnerAlive) {
  auto owner = std::make_shared<std::array<float, 4>>(std::array<float, 4>{1, 2, 3, 4});
  const std::weak_ptr<std::array<float, 4>> watch = owner;
  Tensor view = Tensor::view(ElementType::f32, {2, 2}, std::as_bytes(std::span(*owner)), owner);
  owner.reset();
  EXPECT_THAT(view.values<float>(), ElementsAre(1, 2, 3, 4));
  view = Tensor();
  EXPECT_TRUE(watch.expired());
}

TEST(Tensor, WidensEveryElementType) {
  const std::array<std::uint16_t, 2> halves{0x3c00, 0xc100};  // 1, -2.5
  const std::array<std::uint16_t, 2> brains{0x3f80, 0xc020};  // 1, -2.5
  const auto bytes_of = [](const auto& values) { return std::as_bytes(std::span(values)); };
  EXPECT_THAT(widened(Tensor::view(ElementType::f16, {2}, bytes_of(halves), nullptr)).values<float>(), ElementsAre(1.0f, -2.5f));
  EXPECT_THAT(widened(Tensor::view(ElementType::bf16, {2}, bytes_of(brains), nullptr)).values<float>(), ElementsAre(1.0f, -2.5f));
  EXPECT_THAT(widened(Tensor::of<double>({2}, std::array{0.1, -7.0})).values<float>(), ElementsAre(0.1f, -7.0f));
  EXPECT_THAT(widened(Tensor::of<std::int64_t>({1}, std::array<std::int64_t, 1>{16777217})).values<float>(),
              ElementsAre(16777216.0f));
  EXPECT_THAT(widened(Tensor::of<std::int8_t>({2}, std::array<std::int8_t, 2>{-128, 127})).values<float>(),
              ElementsAre(-128.0f, 127.0f));
  EXPECT_THAT(widened(Tensor::of<std::uint8_t>({1}, std::array<std::uint8_t, 1>{255})).values<float>(), ElementsAre(255.0f));
  const Tensor f32 = Tensor::zeros({2});
  EXPECT_EQ(widened(f32).bytes().data(), f32.bytes().data()) << "f32 is not copied";
}

}  // namespace
}  // namespace alexnet
