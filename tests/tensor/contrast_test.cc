#include "tensor/contrast.h"

#include <vector>

namespace alexnet::test {
namespace {

// NumPy: s * (x - x.mean()) / max(e, np.sqrt(l + ((x - x.mean()) ** 2).mean())) in float64.
TEST(GlobalContrast, IsWhatNumPyComputes) {
  const std::vector<float> x{1, -2, 3, 0.5, -1.5, 4};
  struct Case {
    GlobalContrast parameters;
    std::vector<double> y;
  };
  for (const auto& [parameters, wanted] : std::vector<Case>{
           {{1, 0, 1e-8}, {0.0766964988847, -1.30384048104, 0.997054485502, -0.153392997769, -1.07375098439, 1.45723347881}},
           {{2, 10, 1e-8}, {0.0868744485526, -1.47686562539, 1.12936783118, -0.173748897105, -1.21624227974, 1.6506145225}},
           {{55, 0, 1e-8}, {4.21830743866, -71.7112264572, 54.8379967026, -8.43661487732, -59.0563041412, 80.1478413346}},
           {{1, 0, 100},
            {0.00166666666667, -0.0283333333333, 0.0216666666667, -0.00333333333333, -0.0233333333333, 0.0316666666667}},
       }) {
    std::vector<float> y(x.size());
    normalise_global_contrast(parameters, x, y);
    // Rounded once, to float32, and printed with twelve digits.
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], wanted[i], std::abs(wanted[i]) * 0x1.01p-24) << i;
  }
}

TEST(GlobalContrast, OfAConstantIsZero) {
  const std::vector<float> x(6, 0.1f);
  std::vector<float> y(x.size());
  normalise_global_contrast({}, x, y);
  // The mean is off by 2^-53 of itself at most, and epsilon divides that.
  EXPECT_THAT(y, testing::Each(testing::FloatNear(0, 1e-8f)));
}

TEST(LocalContrast, WorksInPlace) {
  const std::vector<float> x{1, -2, 3, 0.5, -1.5, 4, 2.5, -0.25, 2, 0, -1, 1.5};
  const Shape maps{1, 3, 4};
  std::vector<float> y(x.size());
  std::vector<float> in_place = x;
  normalise_local_contrast({3, 1, false}, 1e-4, maps, x, y);
  normalise_local_contrast({3, 1, false}, 1e-4, maps, in_place, in_place);
  EXPECT_EQ(in_place, y);
  in_place = x;
  subtract_local_mean({3, 1, false}, maps, x, y);
  subtract_local_mean({3, 1, false}, maps, in_place, in_place);
  EXPECT_EQ(in_place, y);
}

}  // namespace
}  // namespace alexnet::test
