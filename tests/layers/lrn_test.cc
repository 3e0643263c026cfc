#include "layers/lrn.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Lrn, IsWhatTheFrameworksCompute) { expect_reference_is_golden("lrn"); }

TEST(Lrn, ReachesAsFarAsItsConventionSays) {
  struct Case {
    std::int64_t local_size;
    EvenWindow even_window;
    std::int64_t before, after;
  };
  for (const auto& [local_size, even_window, before, after] : {
           Case{1, EvenWindow::before, 0, 0},
           Case{1, EvenWindow::after, 0, 0},
           Case{1, EvenWindow::none, 0, 0},
           Case{5, EvenWindow::before, 2, 2},
           Case{5, EvenWindow::after, 2, 2},
           Case{5, EvenWindow::none, 2, 2},
           Case{2, EvenWindow::before, 1, 0},
           Case{2, EvenWindow::after, 0, 1},
           Case{2, EvenWindow::none, 0, 0},
           Case{4, EvenWindow::before, 2, 1},
           Case{4, EvenWindow::after, 1, 2},
           Case{4, EvenWindow::none, 1, 1},
       }) {
    const auto found = reach({.local_size = local_size, .even_window = even_window});
    EXPECT_EQ(found.before, before) << local_size << ' ' << static_cast<int>(even_window);
    EXPECT_EQ(found.after, after) << local_size << ' ' << static_cast<int>(even_window);
  }
}

TEST(Lrn, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(Lrn{.local_size = 0}, {Shape{1, 5}}), "local_size is 0, must be at least 1");
  EXPECT_EQ(refusal(Lrn{.groups = 0}, {Shape{1, 5}}), "groups is 0, must be at least 1");
  EXPECT_EQ(refusal(Lrn{.groups = 2}, {Shape{1, 5}}), "2 groups do not divide 5 channels");
  EXPECT_EQ(refusal(Lrn{}, {Shape{5}}), "wants an input with a channel axis, found 5");
  EXPECT_EQ(refusal(Lrn{.region = LrnRegion::within_channel}, {Shape{1, 5}}), "wants an input of shape NxCxHxW, found 1x5");
}

TEST(Lrn, TakesAWindowFarBeyondItsChannels) {
  const Tensor x = generated({1, 3, 1, 1}, 1, -2, 2);
  const Layer huge = Lrn{.local_size = INT64_MAX, .alpha = 1, .even_window = EvenWindow::before};
  const auto y = reference(huge, std::span(&x, 1), {});
  // The sum is divided by so much that nothing but k = 1 is left.
  EXPECT_THAT(y.values<float>(), testing::ElementsAreArray(x.values<float>()));
}

}  // namespace
}  // namespace alexnet::test
