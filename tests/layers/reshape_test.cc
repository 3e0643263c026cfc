#include "layers/reshape.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Reshape, IsWhatPyTorchComputes) { expect_reference_is_golden("reshape"); }

TEST(Reshape, RefusesAnotherNumberOfElements) {
  EXPECT_EQ(refusal(Reshape{.shape = {5}}, {Shape{2, 3}}), "can't give a sample of 2x3 the shape 5");
  EXPECT_EQ(refusal(Reshape{.shape = {-3, -1}}, {Shape{2, 3}}), "can't give a sample of 2x3 the shape -3x-1");
  EXPECT_EQ(refusal(Reshape{.shape = {INT64_MAX, 4, 3}}, {Shape{2, 3}}),
            "can't give a sample of 2x3 the shape 9223372036854775807x4x3");
  EXPECT_EQ(refusal(Reshape{.shape = {1, 1, 1, 1, 1, 1, 1, 3}}, {Shape{2, 3}}),
            "can't give a sample of 2x3 the shape 1x1x1x1x1x1x1x3");
}

}  // namespace
}  // namespace alexnet::test
