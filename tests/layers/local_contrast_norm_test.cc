#include "layers/local_contrast_norm.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(LocalContrastNorm, IsWhatSciPyComputes) { expect_reference_is_golden("local_contrast_norm"); }

TEST(LocalContrastNorm, RefusesWhatMakesNoSense) {
  const Shape input{1, 2, 5, 7};
  EXPECT_EQ(refusal(LocalContrastNorm{}, {Shape{1, 2, 5}}), "wants an input of shape NxCxHxW, found 1x2x5");
  EXPECT_EQ(refusal(LocalContrastNorm{.local_size = 4}, {input}),
            "the size of the neighbourhood is 4, must be odd and between 1 and 65536");
  EXPECT_EQ(refusal(LocalContrastNorm{.local_size = 0}, {input}),
            "the size of the neighbourhood is 0, must be odd and between 1 and 65536");
  EXPECT_EQ(refusal(LocalContrastNorm{.sigma = 0}, {input}), "sigma is 0, must be positive");
  EXPECT_EQ(refusal(LocalContrastNorm{.epsilon = -1}, {input}), "epsilon is -1, must not be negative");
}

}  // namespace
}  // namespace alexnet::test
