#include "layers/batch_statistics_norm.h"

#include "layers/layer.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(BatchStatisticsNorm, IsWhatPyTorchComputes) { expect_reference_is_golden("batch_statistics_norm"); }

TEST(BatchStatisticsNorm, CouplesItsBatch) {
  EXPECT_TRUE(batch_coupled(BatchStatisticsNorm{}));
  EXPECT_FALSE(batch_coupled(BatchNorm{}));
}

// tf.nn.moments over axis 0 of [1, 2, 3, 4], then tf.nn.batch_normalization with epsilon 1e-3, no scale and no offset.
TEST(BatchStatisticsNorm, GivesTheKnownAnswerOfTensorFlow) {
  const std::vector<float> x{1, 2, 3, 4};
  const Tensor input = Tensor::of<float>({4, 1}, x);
  const Layer layer = BatchStatisticsNorm{.epsilon = 1e-3, .scale = false, .offset = false};
  const auto y = reference(layer, std::span(&input, 1), {});
  EXPECT_THAT(y.values<float>(), testing::Pointwise(testing::FloatNear(5e-6f), {-1.34110f, -0.44703f, 0.44703f, 1.34110f}));
}

TEST(BatchStatisticsNorm, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(BatchStatisticsNorm{}, {Shape{5}}), "wants an input with a channel axis, found 5");
  EXPECT_EQ(refusal(BatchStatisticsNorm{.epsilon = -1}, {Shape{1, 5}}), "epsilon is -1, must not be negative");
}

}  // namespace
}  // namespace alexnet::test
