// The matrices of Winograd convolution: F(m, r) computes m outputs of a convolution with r taps from m + r - 1 products
// instead of m * r (Toom 1963, Cook 1966; for two dimensions Lavin and Gray 2015).
//
//     output = A ((G weight) * (B input))
//
// element by element between the inner brackets. Behind it stands interpolation: B and G evaluate polynomials at m + r - 2 points
// and at infinity, A goes back. In two dimensions each matrix is applied to rows and to columns.
#pragma once

#include <array>
#include <cstddef>

namespace alexnet {

template <std::size_t kRows, std::size_t kColumns>
using Matrix = std::array<std::array<double, kColumns>, kRows>;

template <std::size_t kOutputs, std::size_t kTaps>
struct WinogradMatrices {
  static constexpr std::size_t kSize = kOutputs + kTaps - 1;
  Matrix<kSize, kSize> input;      // B
  Matrix<kSize, kTaps> weight;     // G
  Matrix<kOutputs, kSize> output;  // A
};

// Powers of two and their sums are exact, and points near one in magnitude, each with its inverse, keep the entries small, on which
// the rounding error depends (Barabasz et al. 2020). A and B are exact in f32.
inline constexpr std::array<double, 6> kWinogradPoints{0, 1, -1, 0.5, -2, 2};

template <std::size_t kOutputs, std::size_t kTaps>
constexpr WinogradMatrices<kOutputs, kTaps> winograd_matrices() {
  using Result = WinogradMatrices<kOutputs, kTaps>;
  constexpr std::size_t kFinite = Result::kSize - 1;
  static_assert(kFinite <= kWinogradPoints.size());
  Result result{};
  // The coefficients of the product of (x - point) over all points but `left_out`.
  const auto product = [](std::size_t left_out) {
    std::array<double, Result::kSize> coefficients{1};
    for (std::size_t p = 0; p < kFinite; ++p) {
      if (p == left_out) continue;
      for (std::size_t i = Result::kSize; i-- > 0;)
        coefficients[i] = (i == 0 ? 0 : coefficients[i - 1]) - kWinogradPoints[p] * coefficients[i];
    }
    return coefficients;
  };
  for (std::size_t p = 0; p < kFinite; ++p) {
    double scale = 1;
    for (std::size_t other = 0; other < kFinite; ++other)
      if (other != p) scale *= kWinogradPoints[p] - kWinogradPoints[other];
    double power = 1;
    for (std::size_t i = 0; i < Result::kSize; ++i, power *= kWinogradPoints[p]) {
      if (i < kTaps) result.weight[p][i] = power / scale;
      if (i < kOutputs) result.output[i][p] = power;
    }
    result.input[p] = product(p);
  }
  result.weight[kFinite][kTaps - 1] = 1;
  result.output[kOutputs - 1][kFinite] = 1;
  result.input[kFinite] = product(kFinite);
  return result;
}

// The rounding error of a result, in the root mean square, against that of adding up all C * r * r products one after the other,
// whose n roundings of partial sums lose sqrt(n / 6) units. Here the sums are of C products of transformed numbers, so of n = C; B
// and G make these larger by |B[i]| and |G[i]|, the lengths of their rows, for independent inputs and weights, and A adds up the
// sums' errors. Along one axis the variance grows, against that of a result, by
//   k = mean over outputs p of (sum over i of A[p][i]^2 |B[i]|^2 |G[i]|^2) / r,
// along both by k^2; the error so by k, and with the shorter sum by k * sqrt(C) / sqrt(C * r * r) = k / r.
template <std::size_t kOutputs, std::size_t kTaps>
constexpr double winograd_error_growth() {
  constexpr auto kMatrices = winograd_matrices<kOutputs, kTaps>();
  const auto squares = [](const auto& row) {
    double sum = 0;
    for (const double entry : row) sum += entry * entry;
    return sum;
  };
  double sum = 0;
  for (const auto& row : kMatrices.output) {
    for (std::size_t i = 0; i < kMatrices.kSize; ++i)
      sum += row[i] * row[i] * squares(kMatrices.input[i]) * squares(kMatrices.weight[i]);
  }
  return sum / (kOutputs * kTaps * kTaps);
}

}  // namespace alexnet
