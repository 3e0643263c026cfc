#include "layers/adaptive_average_pool.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(AdaptiveAveragePool, IsWhatPyTorchComputes) { expect_reference_is_golden("adaptive_average_pool"); }

TEST(AdaptiveAveragePool, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(AdaptiveAveragePool{.output = {6, 0}}, {Shape{1, 2, 3, 4}}), "output is 0, must be at least 1");
  EXPECT_EQ(refusal(AdaptiveAveragePool{.output = {6, 6}}, {Shape{1, 2, 3}}), "wants an input of shape NxCxHxW, found 1x2x3");
}

}  // namespace
}  // namespace alexnet::test
