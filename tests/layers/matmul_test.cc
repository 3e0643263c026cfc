#include "layers/matmul.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(MatMul, IsWhatPyTorchComputes) { expect_reference_is_golden("matmul"); }

TEST(MatMul, RefusesInputsThatDoNotFit) {
  EXPECT_EQ(refusal(MatMul{}, {Shape{2, 3, 4}, Shape{2, 3, 4}}),
            "wants inputs of shape Nx...xMxK and Nx...xKxP, found 2x3x4 and 2x3x4");
  EXPECT_EQ(refusal(MatMul{}, {Shape{3, 4}, Shape{4, 3}}), "wants inputs of shape Nx...xMxK and Nx...xKxP, found 3x4 and 4x3");
  EXPECT_EQ(refusal(MatMul{}, {Shape{1, 2, 3, 4}, Shape{1, 3, 4, 5}}),
            "wants inputs of one shape, or 1 along an axis, found 1x2 and 1x3");
}

}  // namespace
}  // namespace alexnet::test
