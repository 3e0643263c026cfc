#include "layers/softmax.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Softmax, IsWhatPyTorchComputes) { expect_reference_is_golden("softmax"); }

TEST(Softmax, RefusesAnAxisThatIsNotThere) {
  EXPECT_EQ(refusal(Softmax{.axis = 0}, {Shape{1, 5}}), "axis is 0, the input 1x5 has the axes 1 to 1 behind its batch");
  EXPECT_EQ(refusal(Softmax{.axis = 2}, {Shape{1, 5}}), "axis is 2, the input 1x5 has the axes 1 to 1 behind its batch");
  EXPECT_EQ(refusal(Softmax{.axis = -1}, {Shape{1, 2, 3, 4}}),
            "axis is -1, the input 1x2x3x4 has the axes 1 to 3 behind its batch");
  EXPECT_EQ(refusal(Softmax{}, {Shape{5}}), "the input 5 has no axis behind its batch");
}

}  // namespace
}  // namespace alexnet::test
