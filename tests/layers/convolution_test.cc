#include "layers/convolution.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Convolution, IsWhatPyTorchComputes) { expect_reference_is_golden("convolution"); }

TEST(Convolution, RefusesWhatMakesNoSense) {
  const Shape input{1, 6, 5, 7};
  const Convolution good{.out_channels = 4, .kernel = {3, 3}};
  const auto with = [&](auto change) {
    Convolution layer = good;
    change(layer);
    return refusal(layer, {input});
  };
  EXPECT_EQ(refusal(good, {input}), "");
  EXPECT_EQ(refusal(good, {Shape{1, 6}}), "wants an input of shape NxCxHxW, found 1x6");
  EXPECT_EQ(with([](auto& l) { l.out_channels = 0; }), "out_channels is 0, must be at least 1");
  EXPECT_EQ(with([](auto& l) { l.kernel = {3, 0}; }), "kernel is 0, must be at least 1");
  EXPECT_EQ(with([](auto& l) { l.stride = {-1, 1}; }), "stride is -1, must be at least 1");
  EXPECT_EQ(with([](auto& l) { l.dilation = {1, 0}; }), "dilation is 0, must be at least 1");
  EXPECT_EQ(with([](auto& l) { l.padding = {0, 0, 0, -2}; }), "padding is -2, must be at least 0");
  EXPECT_EQ(with([](auto& l) { l.padding = {0, 4, 0, 1}; }), "padding 4,1 is larger than the kernel's width 3");
  EXPECT_EQ(with([](auto& l) { l.kernel = {INT64_MAX, 1}; }), "kernel is 9223372036854775807, more than 1073741824");
  EXPECT_EQ(with([](auto& l) { l.groups = 0; }), "groups is 0, must be at least 1");
  EXPECT_EQ(with([](auto& l) { l.groups = 3; }), "3 groups do not divide 6 input and 4 output channels");
  EXPECT_EQ(with([](auto& l) { l.groups = 4; }), "4 groups do not divide 6 input and 4 output channels");
  EXPECT_EQ(with([](auto& l) {
              l.kernel = {6, 3};
            }),
            "the output vanishes: height 5 with padding 0,0 is smaller than the kernel's 6");
  EXPECT_EQ(with([](auto& l) {
              l.dilation = {1, 4}, l.padding = {0, 1, 0, 0};
            }),
            "the output vanishes: width 7 with padding 1,0 is smaller than the kernel's 9");
  EXPECT_EQ(with([](auto& l) {
              l.kernel = l.dilation = {1 << 30, 1 << 30};
            }),
            "the output vanishes: height 5 with padding 0,0 is smaller than the kernel's 1152921503533105153");
}

}  // namespace
}  // namespace alexnet::test
