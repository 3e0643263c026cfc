#include "layers/local_mean_subtraction.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(LocalMeanSubtraction, IsWhatSciPyComputes) { expect_reference_is_golden("local_mean_subtraction"); }

TEST(LocalMeanSubtraction, RefusesWhatMakesNoSense) {
  const Shape input{1, 2, 5, 7};
  EXPECT_EQ(refusal(LocalMeanSubtraction{}, {Shape{1, 2, 5}}), "wants an input of shape NxCxHxW, found 1x2x5");
  EXPECT_EQ(refusal(LocalMeanSubtraction{.local_size = 70001}, {input}),
            "the size of the neighbourhood is 70001, must be odd and between 1 and 65536");
  EXPECT_EQ(refusal(LocalMeanSubtraction{.sigma = -2}, {input}), "sigma is -2, must be positive");
}

}  // namespace
}  // namespace alexnet::test
