#include "layers/pad.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Pad, IsWhatNumPyComputes) { expect_reference_is_golden("pad"); }

TEST(Pad, RefusesPaddingThatDoesNotFit) {
  EXPECT_EQ(refusal(Pad{.before = {1}, .after = {1}}, {Shape{1, 2, 3}}),
            "pads 1 axes in front and 1 behind, the input 1x2x3 has 2 behind its batch");
  EXPECT_EQ(refusal(Pad{.before = {1}, .after = {-1}}, {Shape{1, 2}}), "padding is -1, must be at least 0");
  EXPECT_EQ(refusal(Pad{.before = {INT64_MAX}, .after = {0}}, {Shape{1, 2}}),
            "padding is 9223372036854775807, more than 1073741824");
}

}  // namespace
}  // namespace alexnet::test
