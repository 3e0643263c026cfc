#include "layers/dropout.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Dropout, IsWhatPyTorchComputes) { expect_reference_is_golden("dropout"); }

TEST(Dropout, RefusesWhatIsNoRatio) {
  EXPECT_EQ(refusal(Dropout{.ratio = 1}, {Shape{1, 5}}), "");
  EXPECT_EQ(refusal(Dropout{.ratio = -0.5}, {Shape{1, 5}}), "ratio is -0.5, must be between 0 and 1");
  EXPECT_EQ(refusal(Dropout{.ratio = 1.5}, {Shape{1, 5}}), "ratio is 1.5, must be between 0 and 1");
}

}  // namespace
}  // namespace alexnet::test
