#include "model/weight.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "alexnet/error.h"

namespace alexnet {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr Storage kAll[] = {Storage::f32, Storage::f16, Storage::bf16, Storage::int8, Storage::int8_sparse};

Tensor tensor(const Shape& shape, const std::vector<float>& values) { return Tensor::of<float>(shape, values); }

// Normally distributed, but for this share of zeros.
Tensor random(const Shape& shape, double zeros, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::bernoulli_distribution zero(zeros);
  Tensor result = Tensor::zeros(shape);
  for (float& value : result.mutable_values<float>()) value = zero(generator) ? 0.0f : normal(generator);
  return result;
}

std::string message_of(const Tensor& values, Storage storage) {
  try {
    stored(values, storage);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.message();
  }
  return "stored";
}

TEST(Storage, NamesReadBack) {
  for (const auto storage : kAll) EXPECT_EQ(storage_named(name(storage)), storage) << name(storage);
  EXPECT_EQ(name(Storage::int8_sparse), "int8-sparse");
  EXPECT_EQ(storage_named("int4"), std::nullopt);
}

TEST(Weight, WholeHalvesSurviveEveryFloatStorage) {
  const auto values = tensor({2, 3}, {0.0f, -1.5f, 2.0f, 0.25f, -64.0f, 100.0f});
  for (const auto storage : {Storage::f32, Storage::f16, Storage::bf16}) {
    const Weight weight = stored(values, storage);
    EXPECT_EQ(weight.shape, (Shape{2, 3})) << name(storage);
    EXPECT_THAT(widened(weight).values<float>(), ElementsAreArray(values.values<float>())) << name(storage);
  }
}

TEST(Weight, Int8RoundsToNearestEvenOfEachRowsOwnScale) {
  const auto weight = stored(tensor({3, 4}, {127, 0.5, 1.5, -2.5, 0, 0, 0, 0, -254, 1, 3, 5}), Storage::int8);
  EXPECT_THAT(weight.scale.values<float>(), ElementsAre(1, 0, 2));
  EXPECT_THAT(weight.data.values<std::int8_t>(), ElementsAre(127, 0, 2, -2, 0, 0, 0, 0, -127, 0, 2, 2));
  EXPECT_THAT(widened(weight).values<float>(), ElementsAre(127, 0, 2, -2, 0, 0, 0, 0, -254, 0, 4, 4));
}

TEST(Weight, Int8IsOffByHalfAStepAtMost) {
  const auto values = random({7, 33}, 0.3, 1);
  const auto weight = stored(values, Storage::int8);
  const auto wide = widened(weight);
  for (std::size_t i = 0; i < 7 * 33; ++i) {
    // Half a step, and the rounding of w / scale and of q * scale to f32.
    const float step = weight.scale.values<float>()[i / 33];
    EXPECT_LE(std::fabs(wide.values<float>()[i] - values.values<float>()[i]), step * (0.5f + 127 * 0x1p-23f)) << i;
  }
}

TEST(Weight, SparseRowsAreMaskedBitByBitAndPaddedToABytes) {
  // Rows of 10: two bytes of mask each, six bits of padding.
  std::vector<float> values(20, 0.0f);
  values[0] = 127;
  values[3] = -1;
  values[9] = 5;
  values[18] = -127;
  const auto weight = stored(tensor({2, 10}, values), Storage::int8_sparse);
  EXPECT_EQ(weight.mask.shape(), (Shape{2, 2}));
  EXPECT_THAT(weight.mask.values<std::uint8_t>(), ElementsAre(0b00001001, 0b00000010, 0, 0b00000001));
  EXPECT_THAT(weight.data.values<std::int8_t>(), ElementsAre(127, -1, 5, -127));
  EXPECT_THAT(weight.scale.values<float>(), ElementsAre(1, 1));
  EXPECT_THAT(widened(weight).values<float>(), ElementsAreArray(values));
  EXPECT_EQ(byte_count(weight), 4u + 4u + 8u);
}

TEST(Weight, SparseHoldsWhatDenseInt8Holds) {
  for (const std::int64_t length : {1, 7, 8, 9, 63, 64, 65, 127, 130}) {
    for (const double zeros : {0.0, 0.5, 0.92, 1.0}) {
      const auto values = random({5, length}, zeros, static_cast<unsigned>(length));
      const auto sparse = stored(values, Storage::int8_sparse);
      EXPECT_THAT(widened(sparse).values<float>(), ElementsAreArray(widened(stored(values, Storage::int8)).values<float>()))
          << length << " elements a row, " << zeros << " of them zero";
    }
  }
}

TEST(Weight, RowsRunOverAllAxesButTheFirst) {
  const auto weight = stored(random({4, 3, 5, 3}, 0.8, 2), Storage::int8_sparse);
  EXPECT_EQ(weight.mask.shape(), (Shape{4, 6}));  // 45 elements
  EXPECT_EQ(widened(weight).shape(), (Shape{4, 3, 5, 3}));
}

TEST(Weight, RowsTooSmallForAScaleBecomeZero) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const auto weight = stored(tensor({2, 2}, {tiny, -tiny, 200 * tiny, -60 * tiny}), Storage::int8);
  EXPECT_THAT(weight.data.values<std::int8_t>(), ElementsAre(0, 0, 100, -30));
  EXPECT_THAT(weight.scale.values<float>(), ElementsAre(0, 2 * tiny));
}

TEST(Weight, RefusesWhatAStorageCannotHold) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(message_of(tensor({1, 2}, {1, 70000}), Storage::f16), "70000 is beyond the range of F16");
  EXPECT_EQ(message_of(tensor({1, 2}, {1, infinity}), Storage::f16), "stored");
  EXPECT_EQ(message_of(tensor({1, 2}, {1, std::nanf("")}), Storage::int8),
            "an element that is not finite cannot be stored as int8");
  EXPECT_EQ(message_of(tensor({1, 2}, {-infinity, 1}), Storage::int8_sparse),
            "an element that is not finite cannot be stored as int8");
  EXPECT_EQ(message_of(tensor({2}, {1, 1}), Storage::int8), "a tensor of shape 2 has no rows to store as int8");
}

TEST(Weight, FindsTheFirstElementThatIsNotFinite) {
  const float nan = std::nanf("");
  Tensor values = random({3, 20000}, 0, 3);
  for (const auto storage : {Storage::f32, Storage::f16, Storage::bf16}) {
    EXPECT_FALSE(non_finite(stored(values, storage))) << name(storage);
  }
  values.mutable_values<float>()[40007] = nan;
  values.mutable_values<float>()[59999] = -std::numeric_limits<float>::infinity();
  for (const auto storage : {Storage::f32, Storage::f16, Storage::bf16}) {
    const auto found = non_finite(stored(values, storage));
    ASSERT_TRUE(found) << name(storage);
    EXPECT_EQ(found->first, 40007) << name(storage);
    EXPECT_EQ(found->count, 2) << name(storage);
  }
  Weight int8 = stored(random({3, 5}, 0.5, 4), Storage::int8_sparse);
  EXPECT_FALSE(non_finite(int8));
  int8.scale = tensor({3}, {1, 2, nan});
  ASSERT_TRUE(non_finite(int8));
  EXPECT_EQ(non_finite(int8)->first, 2);
}

TEST(Weight, CountsTheBytesOfItsStorage) {
  const auto values = random({4, 9}, 0, 5);
  EXPECT_EQ(byte_count(stored(values, Storage::f32)), 144u);
  EXPECT_EQ(byte_count(stored(values, Storage::f16)), 72u);
  EXPECT_EQ(byte_count(stored(values, Storage::int8)), 36u + 16u);
}

}  // namespace
}  // namespace alexnet
