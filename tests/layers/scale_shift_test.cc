#include "layers/scale_shift.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(ScaleShift, IsWhatPyTorchComputes) { expect_reference_is_golden("scale_shift"); }

TEST(ScaleShift, RefusesAnInputWithoutChannels) {
  EXPECT_EQ(refusal(ScaleShift{}, {Shape{3}}), "wants an input with a channel axis, found 3");
}

}  // namespace
}  // namespace alexnet::test
