#include "layers/clip.h"

#include <limits>

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Clip, IsWhatNumPyComputes) { expect_reference_is_golden("clip"); }

TEST(Clip, RefusesBoundsThatAreNotNumbers) {
  EXPECT_EQ(refusal(Clip{.lowest = std::numeric_limits<double>::quiet_NaN()}, {Shape{1, 2}}), "a bound is not a number");
}

}  // namespace
}  // namespace alexnet::test
