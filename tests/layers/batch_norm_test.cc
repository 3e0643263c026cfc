#include "layers/batch_norm.h"

#include <array>

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(BatchNorm, IsWhatPyTorchComputes) { expect_reference_is_golden("batch_norm"); }

// tf.nn.moments over axis 0 of [1, 2, 3, 4] gives mean 2.5 and the population variance 1.25; then
// tf.nn.batch_normalization(x, mean, variance, None, None, 1e-3).
TEST(BatchNorm, GivesTheKnownAnswerOfTensorFlow) {
  const std::array<float, 4> x{1, 2, 3, 4};
  const Tensor input = Tensor::of<float>({4, 1}, x);
  const std::array statistics{generated({1}, 1, 2.5, 2.5), generated({1}, 1, 1.25, 1.25)};
  const Layer layer = BatchNorm{.epsilon = 1e-3, .scale = false, .offset = false};
  const auto y = reference(layer, std::span(&input, 1), statistics);
  EXPECT_THAT(y.values<float>(), testing::Pointwise(testing::FloatNear(5e-6f), {-1.34110f, -0.44703f, 0.44703f, 1.34110f}));
}

TEST(BatchNorm, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(BatchNorm{}, {Shape{5}}), "wants an input with a channel axis, found 5");
  EXPECT_EQ(refusal(BatchNorm{.epsilon = -1e-5}, {Shape{1, 5}}), "epsilon is -1e-05, must not be negative");
}

TEST(BatchNorm, AsksForOnlyTheParametersItHas) {
  const Shape input{2, 3, 5, 7};
  const auto names = [&](const BatchNorm& layer) {
    std::string text;
    for (const auto& parameter : parameters(layer, std::span(&input, 1))) {
      EXPECT_EQ(parameter.shape, Shape{3});
      text += fmt::format("{} ", parameter.name);
    }
    return text;
  };
  EXPECT_EQ(names({}), "mean variance scale offset ");
  EXPECT_EQ(names({.scale = false}), "mean variance offset ");
  EXPECT_EQ(names({.offset = false}), "mean variance scale ");
  EXPECT_EQ(names({.scale = false, .offset = false}), "mean variance ");
}

}  // namespace
}  // namespace alexnet::test
