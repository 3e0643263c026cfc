// Convolutions by Winograd's method against their plain reference.
#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/winograd_transform.h"

#include "alexnet/error.h"
#include "layers/convolution.h"
#include "runtime/instruction_set.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

constexpr double kRoundoff = std::numeric_limits<float>::epsilon() / 2;

struct Case {
  std::string name;
  Convolution layer;
  Shape sample;
  bool relu = false;
};

Convolution square(std::int64_t out, std::int64_t kernel, std::int64_t padding, std::int64_t groups = 1, bool bias = true) {
  return {.out_channels = out,
          .kernel = {kernel, kernel},
          .padding = {padding, padding, padding, padding},
          .groups = groups,
          .bias = bias};
}

// The variances of M x M^T from those of x, whose elements are independent.
template <std::size_t kRows, std::size_t kColumns>
std::vector<double> variances(const Matrix<kRows, kColumns>& m, const std::vector<double>& x) {
  const auto square = [](double value) { return value * value; };
  std::vector<double> y(kRows * kRows);
  for (std::size_t i = 0; i < kRows; ++i)
    for (std::size_t j = 0; j < kRows; ++j)
      for (std::size_t k = 0; k < kColumns; ++k)
        for (std::size_t l = 0; l < kColumns; ++l) y[i * kRows + j] += square(m[i][k]) * x[k * kColumns + l] * square(m[j][l]);
  return y;
}

// How far an element may be from the exact one. The result is A M A^T with M the sum over C channels of U V, U = G w G^T and
// V = B x B^T. Inputs and weights are independent and uniform, so products have the variance p = var(U) var(V). Roundings are
// independent as well (Higham and Mary 2019): step k of the sum rounds a partial sum of deviation sqrt(k p), all steps together
// give C / sqrt(2) roundings of sqrt(p); those of V, of U and of each product some 4 in each of C products, 4 sqrt(C); those behind
// M, whose deviation is sqrt(C p), about as much again. A weighs them as it weighs p. Six deviations are exceeded by one normal
// variable in 5e8.
template <std::size_t kOutputs, std::size_t kTaps>
double allowed(double largest_input, double largest_weight, std::int64_t channels) {
  constexpr auto kMatrices = winograd_matrices<kOutputs, kTaps>();
  const auto uniform = [](double limit) { return limit * limit / 3; };
  const auto v = variances(kMatrices.input, std::vector<double>(kMatrices.kSize * kMatrices.kSize, uniform(largest_input)));
  const auto u = variances(kMatrices.weight, std::vector<double>(kTaps * kTaps, uniform(largest_weight)));
  std::vector<double> products(u.size());
  std::ranges::transform(u, v, products.begin(), std::multiplies<>());
  const auto y = variances(kMatrices.output, products);
  const auto c = static_cast<double>(channels);
  return 6 * kRoundoff * (c / std::sqrt(2.0) + 8 * std::sqrt(c)) * std::sqrt(*std::ranges::max_element(y));
}

double allowed(const Convolution& layer, double input, double weight, std::int64_t channels) {
  const auto taps = (layer.kernel[0] + layer.stride[0] - 1) / layer.stride[0];
  if (taps == 5) return allowed<3, 5>(input, weight, channels);
  if (layer.stride[0] == 1) return allowed<3, 3>(input, weight, channels);
  return allowed<4, 3>(input, weight, channels * layer.stride[0] * layer.stride[0]);
}

double largest(std::span<const float> values) {
  double result = 0;
  for (const float value : values) result = std::max(result, std::fabs(static_cast<double>(value)));
  return result;
}

class WinogradLayer : public testing::Test {
 protected:
  void SetUp() override {
    if (instruction_set().simd < SimdLevel::avx2) GTEST_SKIP() << "used from AVX2 on";
  }
};

TEST_F(WinogradLayer, IsWithinTheRoundingOfItsForm) {
  Convolution conv1{.out_channels = 96, .kernel = {11, 11}, .stride = {4, 4}};
  Convolution conv1_padded = conv1;
  conv1_padded.out_channels = 64;
  conv1_padded.padding = {2, 2, 2, 2};
  Convolution lopsided = square(32, 3, 0);
  lopsided.padding = {2, 0, 1, 3};
  for (const Case& c :
       {Case{"conv1", conv1, {3, 227, 227}, true}, Case{"conv1 of torchvision", conv1_padded, {3, 224, 224}, true},
        Case{"conv1 of an odd picture", conv1_padded, {3, 37, 52}}, Case{"conv2", square(256, 5, 2), {96, 27, 27}, true},
        Case{"conv2 of towers", square(256, 5, 2, 2), {96, 27, 27}, true}, Case{"conv3", square(384, 3, 1), {256, 13, 13}, true},
        Case{"conv4 of towers", square(384, 3, 1, 2), {384, 13, 13}, true}, Case{"conv5", square(256, 3, 1), {384, 13, 13}},
        Case{"one tile and a bit", square(32, 3, 0), {32, 6, 5}}, Case{"one output", square(32, 3, 0, 1, false), {32, 3, 3}},
        Case{"uneven padding", lopsided, {48, 10, 7}}, Case{"a panel and a rest", square(112, 3, 1), {32, 7, 7}},
        Case{"odd vectors in towers", square(144, 3, 1, 3), {96, 11, 4}},
        Case{"5x5 on a narrow map", square(48, 5, 2), {32, 9, 1}}}) {
    Graph graph{.inputs = {{"data", c.sample}}, .nodes = {{"conv", c.layer, {"data"}}}, .outputs = {"conv"}};
    if (c.relu) graph.nodes.push_back({"relu", Relu{}, {"conv"}}), graph.outputs = {"relu"};
    const Model model = test::generated_model(graph);
    const auto network = compile(model, {});
    ASSERT_THAT(test::implementation_of(network->plan(), "conv"), testing::StartsWith("own:winograd")) << c.name;
    Session session(network);
    const Tensor x = test::generated_tensor(c.sample.with_batch(5), "data", 2);  // a slice and one more
    const auto found = test::run(session, *network, {x}).front();
    const Tensor weight = widened(model.weights.at("conv.weight"));
    std::vector<Tensor> parameters{weight};
    if (c.layer.bias) parameters.push_back(widened(model.weights.at("conv.bias")));
    const Tensor expected = reference(c.layer, std::span(&x, 1), parameters);
    const double bound = allowed(c.layer, largest(x.values<float>()), largest(weight.values<float>()), weight.shape()[1]);
    double error = 0;
    for (std::size_t i = 0; i < found.values<float>().size(); ++i) {
      const float wanted = c.relu ? std::max(0.0f, expected.values<float>()[i]) : expected.values<float>()[i];
      error = std::max(error, std::fabs(static_cast<double>(found.values<float>()[i]) - static_cast<double>(wanted)));
    }
    RecordProperty(c.name, fmt::format("{:.1e} of {:.1e}, largest output {:.1e}", error, bound, largest(found.values<float>())));
    EXPECT_LE(error, bound) << c.name;
    // What the whole network may lose is 1e-5 of its largest logit; each layer stays below, at the scale of its own output.
    EXPECT_LE(error, 1e-5 * largest(expected.values<float>())) << c.name;
  }
}

TEST_F(WinogradLayer, KeepsNaN) {
  const Graph graph{.inputs = {{"data", {32, 9, 9}}},
                    .nodes = {{"conv", square(32, 3, 1), {"data"}}, {"relu", Relu{}, {"conv"}}},
                    .outputs = {"relu"}};
  Tensor x = Tensor::zeros({1, 32, 9, 9});
  x.mutable_values<float>()[40] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(test::run(test::generated_model(graph), {x}).front().values<float>()[40]));
}

TEST_F(WinogradLayer, IsUsedOnlyWhereItFitsAndIsWanted) {
  const auto implementation = [](const Convolution& layer, const Shape& sample, bool winograd) {
    const Graph graph{.inputs = {{"data", sample}}, .nodes = {{"conv", layer, {"data"}}}, .outputs = {"conv"}};
    return test::implementation_of(compile(test::generated_model(graph), {.winograd = winograd})->plan(), "conv");
  };
  const auto not_own = testing::Not(testing::StartsWith("own:winograd"));
  EXPECT_THAT(implementation(square(64, 3, 1), {64, 13, 13}, false), not_own) << "not wanted";
  EXPECT_THAT(implementation(square(16, 3, 1), {64, 13, 13}, true), not_own) << "too few channels";
  EXPECT_THAT(implementation(square(64, 3, 1), {36, 13, 13}, true), not_own) << "parts of a vector";
  EXPECT_THAT(implementation(square(64, 7, 3), {64, 13, 13}, true), not_own) << "no form for 7 taps";
  Convolution dilated = square(64, 3, 1);
  dilated.dilation = {2, 2};
  EXPECT_THAT(implementation(dilated, {64, 13, 13}, true), not_own) << "dilated";
}

// By NumPy from the same formula; measured with normal inputs and weights of 96 channels, errors are 2.0, 2.9 and 1.5 times the
// sum's model.
TEST(Winograd, ErrorsGrowAsTheMatricesSay) {
  EXPECT_NEAR((winograd_error_growth<4, 3>()), 2.314815, 1e-6);
  EXPECT_NEAR((winograd_error_growth<3, 5>()), 3.320811, 1e-6);
  EXPECT_NEAR((winograd_error_growth<3, 3>()), 2.0, 1e-6);
}

}  // namespace
}  // namespace alexnet
