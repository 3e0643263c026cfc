#include "tensor/moments.h"

#include <vector>

namespace alexnet::test {
namespace {

TEST(Moments, AreThoseOfAPopulation) {
  const std::vector<float> x{1, 2, 3, 4};
  const auto all = moments(x);
  EXPECT_EQ(all.count, 4);
  EXPECT_DOUBLE_EQ(all.mean, 2.5);
  EXPECT_DOUBLE_EQ(all.variance(), 1.25);
  EXPECT_DOUBLE_EQ(all.sample_variance(), 5.0 / 3);
  EXPECT_DOUBLE_EQ(moments({}).variance(), 0);
  EXPECT_DOUBLE_EQ(moments(std::vector<float>{7}).variance(), 0);
  EXPECT_DOUBLE_EQ(moments(std::vector<float>{7}).sample_variance(), 0);
}

// The mean of the squares less the square of the mean would subtract two numbers of 1e14.
TEST(Moments, StayExactFarFromZero) {
  const std::vector<float> x{10'000'001, 10'000'002, 10'000'003, 10'000'004};
  EXPECT_DOUBLE_EQ(moments(x).variance(), 1.25);
}

TEST(Moments, MergeAsIfSeenTogether) {
  std::vector<float> x;
  for (int i = 0; i < 1000; ++i) x.push_back(static_cast<float>((i * 7919) % 1000) * 0.37f + 5000.0f);
  const auto all = moments(x);
  for (const std::size_t cut : {0, 1, 500, 999, 1000}) {
    const auto both = merged(moments(std::span(x).first(cut)), moments(std::span(x).subspan(cut)));
    EXPECT_EQ(both.count, all.count);
    // A few roundings of 2^-53 of the mean, and of the variance.
    EXPECT_NEAR(both.mean, all.mean, 1e-12 * all.mean);
    EXPECT_NEAR(both.variance(), all.variance(), 1e-12 * all.variance());
  }
}

}  // namespace
}  // namespace alexnet::test
