#include "layers/flatten.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Flatten, IsWhatPyTorchComputes) { expect_reference_is_golden("flatten"); }

TEST(Flatten, RefusesAnInputOfOneAxis) { EXPECT_EQ(refusal(Flatten{}, {Shape{5}}), "wants an input with a channel axis, found 5"); }

}  // namespace
}  // namespace alexnet::test
