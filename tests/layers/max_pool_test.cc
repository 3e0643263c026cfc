#include "layers/max_pool.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(MaxPool, IsWhatPyTorchAndOnnxruntimeCompute) { expect_reference_is_golden("max_pool"); }

TEST(MaxPool, RefusesWindowsThatSeeNoInput) {
  const Shape input{1, 2, 3, 9};
  EXPECT_EQ(refusal(MaxPool{.kernel = {3, 3}, .padding = {2, 2, 2, 2}}, {input}), "");
  EXPECT_EQ(refusal(MaxPool{.kernel = {3, 3}, .padding = {3, 0, 0, 0}}, {input}),
            "padding 3,0 must be smaller than the kernel's height 3");
  EXPECT_EQ(refusal(MaxPool{.kernel = {3, 3}, .padding = {0, 0, 0, 4}}, {input}),
            "padding 0,4 is larger than the kernel's width 3");
  EXPECT_EQ(refusal(MaxPool{.kernel = {2, 2}, .padding = {2, 0, 2, 0}, .dilation = {4, 1}}, {input}),
            "dilation 4 can step over the whole height 3");
  EXPECT_EQ(refusal(MaxPool{.kernel = {2, 2}, .padding = {2, 0, 2, 0}, .dilation = {3, 1}}, {input}), "");
}

TEST(MaxPool, RefusesWhatMakesNoSense) {
  const Shape input{1, 2, 3, 9};
  EXPECT_EQ(refusal(MaxPool{}, {input}), "kernel is 0, must be at least 1");
  EXPECT_EQ(refusal(MaxPool{.kernel = {2, 2}}, {Shape{1, 18}}), "wants an input of shape NxCxHxW, found 1x18");
  EXPECT_EQ(refusal(MaxPool{.kernel = {4, 2}}, {input}),
            "the output vanishes: height 3 with padding 0,0 is smaller than the kernel's 4");
}

}  // namespace
}  // namespace alexnet::test
