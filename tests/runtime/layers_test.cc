// Each layer kind, compiled as a network of its own, against its plain reference.
#include "runtime/network.h"

#include <cmath>
#include <limits>

#include "alexnet/error.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

using test::generated_model;
using test::generated_tensor;

constexpr double kEpsilon = std::numeric_limits<float>::epsilon() / 2;

struct Case {
  std::string name;
  Layer layer;
  Shape sample;
  // How far an element may be from the reference, as a multiple of the unit roundoff and of the sum of |terms|. Adding n terms
  // in any order is off by at most n - 1 roundings of partial sums no larger than that (Higham, Accuracy and Stability of
  // Numerical Algorithms, 4.2), and one rounding for each product; long sums in practice by about sqrt(n).
  double roundings = 0;
};

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

Graph graph_of(const Case& c) {
  return {.inputs = {{"x", c.sample}}, .nodes = {{.name = "y", .layer = c.layer, .inputs = {"x"}}}, .outputs = {"y"}};
}

// Weights and inputs replaced by their magnitudes: what the reference then gives is the sum of |terms|.
Tensor magnitudes(const Tensor& tensor) {
  Tensor result = Tensor::zeros(tensor.shape());
  std::ranges::transform(tensor.values<float>(), result.mutable_values<float>().begin(), [](float x) { return std::fabs(x); });
  return result;
}

std::vector<Tensor> parameters_of(const Model& model) {
  std::vector<Tensor> result;
  for (const auto& parameter : parameters(model.graph)) result.push_back(widened(model.weights.at(parameter.name)));
  return result;
}

class LayerTest : public testing::TestWithParam<Case> {};

TEST_P(LayerTest, AgreesWithTheReference) {
  const Case& c = GetParam();
  const Model model = generated_model(graph_of(c));
  const Tensor x = generated_tensor(c.sample.with_batch(3), "x", 2);
  const Tensor y = test::run(model, {x}).front();

  auto weights = parameters_of(model);
  const Tensor expected = reference(c.layer, std::span(&x, 1), weights);
  ASSERT_EQ(to_string(y.shape()), to_string(expected.shape()));
  Tensor terms = expected;
  if (std::holds_alternative<Convolution>(c.layer) || std::holds_alternative<Linear>(c.layer) ||
      std::holds_alternative<AveragePool>(c.layer) || std::holds_alternative<AdaptiveAveragePool>(c.layer)) {
    for (auto& weight : weights) weight = magnitudes(weight);
    const Tensor size = magnitudes(x);
    terms = reference(c.layer, std::span(&size, 1), weights);
  }
  double worst = 0;
  for (std::size_t i = 0; i < y.values<float>().size(); ++i) {
    const double error = std::fabs(static_cast<double>(y.values<float>()[i]) - static_cast<double>(expected.values<float>()[i]));
    const double allowed = kEpsilon * std::fabs(static_cast<double>(terms.values<float>()[i]));
    if (error != 0) worst = std::max(worst, error / std::max(allowed, 1e-300));
  }
  RecordProperty("largest_error_in_roundings", fmt::format("{:.2f}", worst));
  EXPECT_LE(worst, c.roundings) << c.name << ", by " << test::step_of(compile(model, {})->plan(), "y").implementation;
}

Convolution conv(std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t groups = 1) {
  return {.out_channels = out,
          .kernel = {kernel, kernel},
          .stride = {stride, stride},
          .padding = {padding, padding, padding, padding},
          .groups = groups};
}

INSTANTIATE_TEST_SUITE_P(
    Smoke, LayerTest,
    testing::Values(Case{"conv1", conv(16, 11, 4, 0), {3, 51, 51}, 30}, Case{"conv2", conv(32, 5, 1, 2, 2), {16, 9, 9}, 30},
                    Case{"conv_padded", conv(64, 11, 4, 2), {3, 48, 48}, 30}, Case{"linear", Linear{.out_features = 21}, {37}, 20},
                    Case{"lrn", Lrn{}, {32, 5, 6}, 10}, Case{"lrn4", Lrn{.local_size = 4, .beta = 0.6}, {32, 5, 6}, 10},
                    Case{"relu", Relu{}, {3, 5, 6}, 0}, Case{"max", MaxPool{.kernel = {3, 3}, .stride = {2, 2}}, {16, 13, 13}, 0},
                    Case{"softmax", Softmax{}, {100}, 20}, Case{"clip", Clip{-0.5, 0.25}, {3, 5, 6}, 0},
                    Case{"pad", Pad{{0, 1, 2}, {1, 0, 3}, -1}, {3, 5, 6}, 0}, Case{"scale_shift", ScaleShift{}, {3, 5, 6}, 0},
                    Case{"slice", Slice{.axis = 1, .begin = 4, .count = 2, .step = -2}, {5, 4, 3}, 0},
                    Case{"transpose", Transpose{{2, 3, 1}}, {3, 5, 6}, 0}),
    name_of);

}  // namespace
}  // namespace alexnet
