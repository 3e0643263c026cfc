#include "layers/multiply.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Multiply, IsWhatPyTorchComputes) { expect_reference_is_golden("multiply"); }

TEST(Multiply, RefusesInputsThatDoNotFit) {
  EXPECT_EQ(refusal(Multiply{}, {Shape{2, 3}, Shape{2, 4}}), "wants inputs of one shape, or 1 along an axis, found 2x3 and 2x4");
  EXPECT_EQ(refusal(Multiply{}, {Shape{2, 3, 4}, Shape{2, 4}}),
            "wants inputs of one shape, or 1 along an axis, found 2x3x4 and 2x4");
  EXPECT_EQ(refusal(Multiply{}, {Shape{2, 1}, Shape{2, 3}, Shape{2, 2}}),
            "wants inputs of one shape, or 1 along an axis, found 2x1 and 2x2");
}

}  // namespace
}  // namespace alexnet::test
