#include "layers/concat.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Concat, IsWhatPyTorchComputes) { expect_reference_is_golden("concat"); }

TEST(Concat, RefusesInputsThatDoNotFit) {
  EXPECT_EQ(refusal(Concat{.axis = 1}, {Shape{2, 3, 4}, Shape{2, 1, 5}}),
            "wants inputs that differ along axis 1 only, found 2x3x4 and 2x1x5");
  EXPECT_EQ(refusal(Concat{.axis = 1}, {Shape{2, 3, 4}, Shape{2, 3}}),
            "wants inputs that differ along axis 1 only, found 2x3x4 and 2x3");
  EXPECT_EQ(refusal(Concat{.axis = 0}, {Shape{2, 3}, Shape{2, 3}}),
            "axis is 0, the input 2x3 has the axes 1 to 1 behind its batch");
}

}  // namespace
}  // namespace alexnet::test
