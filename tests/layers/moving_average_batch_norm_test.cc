#include "layers/moving_average_batch_norm.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(MovingAverageBatchNorm, IsWhatItsFormulaGivesInPyTorch) { expect_reference_is_golden("moving_average_batch_norm"); }

TEST(MovingAverageBatchNorm, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(MovingAverageBatchNorm{}, {Shape{5}}), "wants an input with a channel axis, found 5");
  EXPECT_EQ(refusal(MovingAverageBatchNorm{.epsilon = -1}, {Shape{1, 5}}), "epsilon is -1, must not be negative");
}

}  // namespace
}  // namespace alexnet::test
