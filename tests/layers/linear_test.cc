#include "layers/linear.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Linear, IsWhatPyTorchComputes) { expect_reference_is_golden("linear"); }

TEST(Linear, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(Linear{.out_features = 3}, {Shape{1, 256, 6, 6}}), "wants an input of shape NxC, found 1x256x6x6");
  EXPECT_EQ(refusal(Linear{}, {Shape{1, 5}}), "out_features is 0, must be at least 1");
}

}  // namespace
}  // namespace alexnet::test
