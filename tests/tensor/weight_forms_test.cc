#include "tensor/weight_forms.h"

#include <cmath>
#include <vector>

#include "alexnet/error.h"

namespace alexnet::test {
namespace {

Tensor of(const Shape& shape, const std::vector<float>& values) { return Tensor::of<float>(shape, values); }

void expect_near(const Tensor& found, const std::vector<double>& wanted) {
  // Rounded once, to float32, and printed with twelve digits.
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(found.values<float>()[i]), wanted[i], std::fabs(wanted[i]) * 0x1.01p-24) << i;
  }
}

// torch._weight_norm(v, g, axis) in float64.
TEST(WeightNormalised, IsWhatPyTorchComputes) {
  const Tensor v = of({2, 3}, {1, -2, 3, 0.5, -1.5, 4});
  expect_near(weight_normalised(of({2, 1}, {2, 0.5}), v, 0),
              {0.534522483825, -1.069044967650, 1.603567451475, 0.058123819372, -0.174371458115, 0.464990554974});
  expect_near(weight_normalised(of({1, 3}, {1, 2, 3}), v, 1), {0.894427191000, -1.6, 1.8, 0.447213595500, -1.2, 2.4});
}

TEST(WeightNormalised, TakesTheNormOverAllOtherAxes) {
  const Tensor v = of({2, 2, 1, 2}, {1, 2, 2, 4, 3, 0, 0, 4});
  const auto w = weight_normalised(of({2, 1, 1, 1}, {5, 10}), v, 0);
  EXPECT_THAT(w.values<float>(), testing::ElementsAre(1, 2, 2, 4, 6, 0, 0, 8));
}

TEST(WeightNormalised, RefusesANormThatDoesNotFit) {
  const auto refused = [](const Shape& g, std::size_t axis) {
    try {
      weight_normalised(Tensor::zeros(g), Tensor::zeros({2, 3}), axis);
      return std::string("accepted");
    } catch (const Error& error) {
      return error.message();
    }
  };
  EXPECT_EQ(refused({3, 1}, 0), "a norm of shape 3x1 does not fit axis 0 of 2x3");
  EXPECT_EQ(refused({2, 1}, 2), "a norm of shape 2x1 does not fit axis 2 of 2x3");
}

TEST(Centred, TakesTheMeanOffEachOutputChannel) {
  const auto w = centred(of({2, 2, 1, 2}, {1, 2, 3, 6, -1, 1, -1, 1}));
  EXPECT_THAT(w.values<float>(), testing::ElementsAre(-2, -1, 0, 3, -1, 1, -1, 1));
}

}  // namespace
}  // namespace alexnet::test
