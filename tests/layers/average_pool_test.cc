#include "layers/average_pool.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(AveragePool, IsWhatPyTorchAndOnnxruntimeCompute) { expect_reference_is_golden("average_pool"); }

// PyTorch 2.15 gives the same: F.avg_pool2d(ones(1, 1, 4, 4), 3, 2, 1, ceil_mode=True, count_include_pad=True).
TEST(AveragePool, CountsPaddingButNotWhatHangsOverTheEnd) {
  const Tensor ones = generated({1, 1, 4, 4}, 1, 1, 1);
  const AveragePool layer{
      .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}, .rounding = Rounding::ceil, .count_padding = true};
  const auto pooled = reference(Layer(layer), std::span(&ones, 1), {});
  EXPECT_THAT(pooled.values<float>(),
              testing::ElementsAre(4.0f / 9, 6.0f / 9, 2.0f / 6, 6.0f / 9, 1.0f, 3.0f / 6, 2.0f / 6, 3.0f / 6, 1.0f / 4));
}

TEST(AveragePool, RefusesWhatMakesNoSense) {
  const Shape input{1, 2, 3, 9};
  EXPECT_EQ(refusal(AveragePool{}, {input}), "kernel is 0, must be at least 1");
  EXPECT_EQ(refusal(AveragePool{.kernel = {2, 2}, .stride = {0, 1}}, {input}), "stride is 0, must be at least 1");
  EXPECT_EQ(refusal(AveragePool{.kernel = {2, 2}, .padding = {0, 2, 0, 0}}, {input}),
            "padding 2,0 must be smaller than the kernel's width 2");
  EXPECT_EQ(refusal(AveragePool{.kernel = {2, 2}}, {Shape{1, 18}}), "wants an input of shape NxCxHxW, found 1x18");
  EXPECT_EQ(refusal(AveragePool{.kernel = {2, 10}}, {input}),
            "the output vanishes: width 9 with padding 0,0 is smaller than the kernel's 10");
}

}  // namespace
}  // namespace alexnet::test
