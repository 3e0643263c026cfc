#include "layers/group_norm.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(GroupNorm, IsWhatPyTorchComputes) { expect_reference_is_golden("group_norm"); }

TEST(GroupNorm, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(GroupNorm{}, {Shape{5}}), "wants an input with a channel axis, found 5");
  EXPECT_EQ(refusal(GroupNorm{.groups = 0}, {Shape{1, 5}}), "groups is 0, must be at least 1");
  EXPECT_EQ(refusal(GroupNorm{.groups = 2}, {Shape{1, 5, 7}}), "2 groups do not divide 5 channels");
  EXPECT_EQ(refusal(GroupNorm{.epsilon = -1}, {Shape{1, 5}}), "epsilon is -1, must not be negative");
}

}  // namespace
}  // namespace alexnet::test
