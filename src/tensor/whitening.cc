#include "tensor/whitening.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <Eigen/Dense>

#include "alexnet/error.h"

namespace alexnet {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<RowMajor> matrix_of(std::vector<double>& values, std::size_t size) {
  const auto n = static_cast<Eigen::Index>(size);
  return {values.data(), n, n};
}

Eigen::Map<const Eigen::VectorXd> vector_of(const std::vector<double>& values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

}  // namespace

Covariance::Covariance(std::int64_t size) {
  constexpr std::int64_t kLargest = 4096;
  if (size < 1 || size > kLargest) {
    throw Error(ErrorKind::usage, "", fmt::format("whitening takes samples of 1 to {} values, found {}", kLargest, size));
  }
  const auto n = static_cast<std::size_t>(size);
  mean_.resize(n);
  products_.resize(n * n);
  apart_.resize(n);
}

// The deviation from the mean before and after the sample, by Welford's scheme: their product has the sign that both share.
void Covariance::add(std::span<const float> sample) {
  ++count_;
  const auto n = static_cast<double>(count_);
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    apart_[i] = static_cast<double>(sample[i]) - mean_[i];
    mean_[i] += apart_[i] / n;
  }
  const auto apart = vector_of(apart_);
  matrix_of(products_, mean_.size()).noalias() += ((n - 1) / n) * apart * apart.transpose();
}

void Covariance::merge(const Covariance& other) {
  if (other.count_ == 0) return;
  const auto total = static_cast<double>(count_ + other.count_);
  const double share = static_cast<double>(other.count_) / total;
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    apart_[i] = other.mean_[i] - mean_[i];
    mean_[i] += apart_[i] * share;
  }
  const auto apart = vector_of(apart_);
  auto products = matrix_of(products_, mean_.size());
  products.noalias() += (static_cast<double>(count_) * share) * apart * apart.transpose();
  for (std::size_t i = 0; i < products_.size(); ++i) products_[i] += other.products_[i];
  count_ += other.count_;
}

std::vector<double> Covariance::covariance() const {
  std::vector<double> result = products_;
  for (double& value : result) value /= static_cast<double>(std::max<std::int64_t>(count_, 1));
  return result;
}

Whitening zca(const Covariance& covariance, double epsilon) {
  if (covariance.count() < 2) {
    throw Error(ErrorKind::model, "", fmt::format("whitening needs two samples or more, found {}", covariance.count()));
  }
  const char* const dependent = "some values depend on others: add an epsilon, say 0.1 times the mean variance";
  // Known before the eigenvalues, which take minutes for a whole picture: n samples span n - 1 directions.
  if (covariance.count() <= covariance.size() && epsilon == 0) {
    throw Error(ErrorKind::model, "",
                fmt::format("{} samples of {} values leave an eigenvalue of 0", covariance.count(), covariance.size()), dependent);
  }
  auto values = covariance.covariance();
  const auto n = static_cast<std::size_t>(covariance.size());
  const Eigen::SelfAdjointEigenSolver<RowMajor> solver(matrix_of(values, n));
  const Eigen::VectorXd lifted = solver.eigenvalues().array() + epsilon;
  if (!(lifted.minCoeff() > 0)) {
    throw Error(ErrorKind::model, "",
                fmt::format("the smallest eigenvalue with epsilon is {:.3g}, must be positive", lifted.minCoeff()), dependent);
  }
  const RowMajor w = solver.eigenvectors() * lifted.cwiseSqrt().cwiseInverse().asDiagonal() * solver.eigenvectors().transpose();
  const auto size = covariance.size();
  Whitening result{.matrix = Tensor::zeros({size, size}), .mean = Tensor::zeros({size})};
  const auto narrow = [](double value) { return static_cast<float>(value); };
  std::transform(w.data(), w.data() + w.size(), result.matrix.mutable_values<float>().begin(), narrow);
  std::ranges::transform(covariance.mean(), result.mean.mutable_values<float>().begin(), narrow);
  return result;
}

void whiten(const Whitening& whitening, const Shape& maps, std::span<const float> x, std::span<float> y) {
  const auto size = static_cast<std::size_t>(whitening.mean.shape().elements());
  const bool by_pixel = maps[0] == whitening.mean.shape().elements();
  if (!by_pixel && x.size() != size) {
    throw Error(ErrorKind::model, "",
                fmt::format("the whitening matrix is {}, must have a row for each channel or each value of {}",
                            to_string(whitening.matrix.shape()), to_string(maps)));
  }
  const auto w = whitening.matrix.values<float>();
  const auto mean = whitening.mean.values<float>();
  const std::size_t pixels = x.size() / size;
  std::vector<double> centred(size);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t i = 0; i < size; ++i) centred[i] = static_cast<double>(x[i * pixels + pixel]) - static_cast<double>(mean[i]);
    for (std::size_t row = 0; row < size; ++row) {
      double sum = 0;
      for (std::size_t i = 0; i < size; ++i) sum += static_cast<double>(w[row * size + i]) * centred[i];
      y[row * pixels + pixel] = static_cast<float>(sum);
    }
  }
}

}  // namespace alexnet
