#include "layers/instance_norm.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(InstanceNorm, IsWhatPyTorchComputes) { expect_reference_is_golden("instance_norm"); }

TEST(InstanceNorm, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(InstanceNorm{}, {Shape{5}}), "wants an input with a channel axis, found 5");
  EXPECT_EQ(refusal(InstanceNorm{.epsilon = -1}, {Shape{1, 5}}), "epsilon is -1, must not be negative");
}

}  // namespace
}  // namespace alexnet::test
