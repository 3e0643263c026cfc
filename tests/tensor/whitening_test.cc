#include "tensor/whitening.h"

#include <cmath>

#include "alexnet/error.h"

namespace alexnet::test {
namespace {

const std::vector<std::vector<float>>& samples() {
  static const std::vector<std::vector<float>> all{{1, 2, 0.5}, {2, 1, 1.5}, {-1, 0.5, 2}, {3, 3, -1}, {0, -2, 1}};
  return all;
}

Covariance seen(std::size_t begin, std::size_t end) {
  Covariance covariance(3);
  for (auto i = begin; i < end; ++i) covariance.add(samples()[i]);
  return covariance;
}

TEST(Covariance, IsWhatNumPyComputes) {
  const auto covariance = seen(0, 5);
  const std::vector<double> mean{1, 0.9, 0.8};
  const std::vector<double> wanted{2, 1.6, -1.1, 1.6, 2.84, -1.02, -1.1, -1.02, 1.06};
  EXPECT_THAT(covariance.mean(), testing::Pointwise(testing::DoubleNear(1e-15), mean));
  EXPECT_THAT(covariance.covariance(), testing::Pointwise(testing::DoubleNear(1e-14), wanted));
}

TEST(Covariance, MergesAsIfSeenTogether) {
  const auto all = seen(0, 5).covariance();
  for (std::size_t cut = 0; cut <= 5; ++cut) {
    auto both = seen(0, cut);
    both.merge(seen(cut, 5));
    EXPECT_EQ(both.count(), 5);
    EXPECT_THAT(both.covariance(), testing::Pointwise(testing::DoubleNear(1e-14), all)) << cut;
  }
}

// NumPy: D, E = np.linalg.eigh(C); E @ np.diag((D + epsilon) ** -0.5) @ E.T
TEST(Zca, IsWhatNumPyComputes) {
  const auto near = [](const Tensor& found, const std::vector<double>& wanted) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(found.values<float>()[i]), wanted[i], std::fabs(wanted[i]) * 0x1.1p-24) << i;
    }
  };
  near(zca(seen(0, 5), 0).matrix, {1.076109273686, -0.263102528342, 0.447088876884, -0.263102528342, 0.753943906907, 0.146883810348,
                                   0.447088876884, 0.146883810348, 1.427848420885});
  near(zca(seen(0, 5), 0.1).matrix, {0.986566577623, -0.23923348103, 0.361926350257, -0.23923348103, 0.724463274729, 0.137050651543,
                                     0.361926350257, 0.137050651543, 1.273360814951});
}

TEST(Zca, GivesTheSamplesTheIdentityAsCovariance) {
  const auto whitening = zca(seen(0, 5), 0);
  Covariance covariance(3);
  // The five samples as pixels of a picture of three channels.
  std::vector<float> picture(15);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t c = 0; c < 3; ++c) picture[c * 5 + i] = samples()[i][c];
  }
  whiten(whitening, {3, 1, 5}, picture, picture);
  for (std::size_t i = 0; i < 5; ++i) covariance.add(std::vector<float>{picture[i], picture[5 + i], picture[10 + i]});
  // The matrix and the result are rounded to float32, and elements are below 4.
  const std::vector<double> identity{1, 0, 0, 0, 1, 0, 0, 0, 1};
  EXPECT_THAT(covariance.covariance(), testing::Pointwise(testing::DoubleNear(2e-6), identity));
  EXPECT_THAT(covariance.mean(), testing::Each(testing::DoubleNear(0, 1e-6)));
}

TEST(Zca, WhitensWholePictures) {
  const auto whitening = zca(seen(0, 5), 0.1);
  std::vector<float> as_pixel(3), as_picture(3);
  whiten(whitening, {3, 1, 1}, samples()[0], as_pixel);
  whiten(whitening, {1, 1, 3}, samples()[0], as_picture);
  EXPECT_EQ(as_pixel, as_picture);
}

TEST(Zca, RefusesWhatCannotBeWhitened) {
  const auto refused = [](const auto& action) -> std::string {
    try {
      action();
      return "accepted";
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(refused([] { zca(seen(0, 1), 0.1); }), "whitening needs two samples or more, found 1");
  EXPECT_EQ(refused([] { Covariance(5000); }), "whitening takes samples of 1 to 4096 values, found 5000");
  EXPECT_THAT(refused([] { zca(seen(0, 2), -1); }), testing::StartsWith("the smallest eigenvalue with epsilon is -1"));
  const auto whitening = zca(seen(0, 5), 0.1);
  std::vector<float> x(8);
  EXPECT_EQ(refused([&] {
              whiten(whitening, {2, 2, 2}, x, x);
            }),
            "the whitening matrix is 3x3, must have a row for each channel or each value of 2x2x2");
}

}  // namespace
}  // namespace alexnet::test
