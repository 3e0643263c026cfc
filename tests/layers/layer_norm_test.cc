#include "layers/layer_norm.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(LayerNorm, IsWhatPyTorchComputes) { expect_reference_is_golden("layer_norm"); }

TEST(LayerNorm, HasParametersOfTheAxesItAveragesOver) {
  const Shape input{2, 3, 5, 7};
  for (const auto& [axis, shape] : {std::pair{1, Shape{3, 5, 7}}, {2, Shape{5, 7}}, {3, Shape{7}}}) {
    const auto wanted = parameters(LayerNorm{.axis = axis}, std::span(&input, 1));
    ASSERT_EQ(wanted.size(), 2u);
    EXPECT_EQ(wanted[0].shape, shape);
    EXPECT_EQ(wanted[1].shape, shape);
  }
}

TEST(LayerNorm, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(LayerNorm{.axis = 0}, {Shape{1, 5}}), "axis is 0, the input 1x5 has the axes 1 to 1 behind its batch");
  EXPECT_EQ(refusal(LayerNorm{.axis = 2}, {Shape{1, 5}}), "axis is 2, the input 1x5 has the axes 1 to 1 behind its batch");
  EXPECT_EQ(refusal(LayerNorm{.epsilon = -1}, {Shape{1, 5}}), "epsilon is -1, must not be negative");
}

}  // namespace
}  // namespace alexnet::test
