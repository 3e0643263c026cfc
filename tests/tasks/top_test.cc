#include "tasks/top.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace alexnet {
namespace {

TEST(Softmax, IsTheFormulaAndSurvivesLargeScores) {
  const auto p = softmax(std::vector<float>{1, 2, 3});
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(p[static_cast<std::size_t>(i)], std::exp(1.0 + i) / sum, 1e-15);
  const auto large = softmax(std::vector<float>{1e30f, 1e30f, -1e30f});
  EXPECT_EQ(large, (std::vector<double>{0.5, 0.5, 0}));
  EXPECT_TRUE(softmax({}).empty());
}

TEST(Top, OrdersByProbabilityThenIndexAndPutsNanLast) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> p = {0.1, nan, 0.4, 0.1, 0.4};
  const auto order = [&](std::size_t k) {
    std::vector<std::int64_t> indices;
    for (const auto& scored : top(p, k)) indices.push_back(scored.index);
    return indices;
  };
  EXPECT_EQ(order(5), (std::vector<std::int64_t>{2, 4, 0, 3, 1}));
  EXPECT_EQ(order(2), (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(order(99).size(), 5u) << "not more than there are";
  EXPECT_TRUE(order(0).empty());
}

}  // namespace
}  // namespace alexnet
