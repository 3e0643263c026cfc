// Each layer kind, compiled as a network of its own, against its plain reference.
#include "runtime/network.h"

#include <cmath>
#include <limits>

#include "alexnet/error.h"
#include "runtime/instruction_set.h"
#include "tests/layers/lrn_known_answers.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

using test::generated_model;
using test::generated_tensor;

// The unit roundoff of float.
constexpr double kRoundoff = std::numeric_limits<float>::epsilon() / 2;

struct Case {
  std::string name;
  Layer layer;
  Shape sample;
  // How far an element may be from the reference, in units of the roundoff times the sum of |terms|.
  double roundings = 0;
};

// A sum of n products in any order has an error of at most about n roundings of the sum of |terms|; of random ones, about sqrt(n)
// with a probability that is practically one (Higham and Mary 2019), as partial sums stay far below that sum. Two more for bias
// and result.
double sum_of(std::int64_t terms) { return std::sqrt(static_cast<double>(terms)) + 2; }

// The sum of squares adds up positive terms, relative error n + 1; the power takes 3/4 or 1/2 of that, 1 at most. Three
// operations behind it, and 5.2e-7 for |y| up to 1.5 was seen with oneDNN: 6 roundings.
double normalisation(std::int64_t local_size) { return static_cast<double>(local_size) + 7; }

Tensor magnitudes(const Tensor& tensor) {
  Tensor result = Tensor::zeros(tensor.shape());
  std::ranges::transform(tensor.values<float>(), result.mutable_values<float>().begin(), [](float x) { return std::fabs(x); });
  return result;
}

// The same network of magnitudes: its output is the sum of |terms| that went into the other's.
Model model_of_magnitudes(const Model& model) {
  Model result = model;
  for (auto& [name, weight] : result.weights) {
    Tensor tensor = magnitudes(widened(weight));
    // (x - mean) becomes |x| + |mean|.
    if (name.ends_with(".mean"))
      for (float& value : tensor.mutable_values<float>()) value = -value;
    weight = Weight::of(tensor);
  }
  return result;
}

Model model_of(const Case& c) {
  return generated_model(
      {.inputs = {{"x", c.sample}}, .nodes = {{.name = "y", .layer = c.layer, .inputs = {"x"}}}, .outputs = {"y"}});
}

std::vector<Tensor> parameters_of(const Model& model) {
  std::vector<Tensor> result;
  for (const auto& parameter : parameters(model.graph)) result.push_back(widened(model.weights.at(parameter.name)));
  return result;
}

bool is_sum(const Layer& layer) {
  return std::holds_alternative<Convolution>(layer) || std::holds_alternative<Linear>(layer) ||
         std::holds_alternative<AveragePool>(layer) || std::holds_alternative<AdaptiveAveragePool>(layer) ||
         std::holds_alternative<BatchNorm>(layer) || std::holds_alternative<ScaleShift>(layer);
}

class LayerTest : public testing::TestWithParam<Case> {};

TEST_P(LayerTest, AgreesWithTheReference) {
  const Case& c = GetParam();
  const Model model = model_of(c);
  const auto network = compile(model, {.threads = 2});
  Session session(network);
  // Enough samples to fill a tile of rows and begin another; one where the reference is slow.
  const std::int64_t batch = c.sample.elements() > 20'000 ? 1 : 7;
  const Tensor x = generated_tensor(c.sample.with_batch(batch), "x", 2);
  const Tensor y = test::run(session, *network, {x}).front();
  const Tensor expected = reference(c.layer, std::span(&x, 1), parameters_of(model));
  const Tensor terms = is_sum(c.layer) ? test::run(model_of_magnitudes(model), {magnitudes(x)}).front() : expected;

  ASSERT_EQ(to_string(y.shape()), to_string(expected.shape()));
  double worst = 0;
  for (std::size_t i = 0; i < y.values<float>().size(); ++i) {
    const double error = std::fabs(static_cast<double>(y.values<float>()[i]) - static_cast<double>(expected.values<float>()[i]));
    const double unit = kRoundoff * std::fabs(static_cast<double>(terms.values<float>()[i]));
    if (error > 0) worst = std::max(worst, error / unit);
  }
  const auto implementation = test::implementation_of(network->plan(), "y");
  RecordProperty("largest_error", fmt::format("{:.2f} of {:.2f} roundings, by {}", worst, c.roundings, implementation));
  EXPECT_LE(worst, c.roundings) << c.name << " by " << implementation;
}

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

Case convolution(std::string name, Shape sample, Convolution layer) {
  const auto taps = sample[0] / layer.groups * layer.kernel[0] * layer.kernel[1];
  return {std::move(name), layer, sample, sum_of(taps)};
}

Convolution square(std::int64_t out, std::int64_t kernel, std::int64_t stride = 1, std::int64_t padding = 0,
                   std::int64_t groups = 1) {
  return {.out_channels = out,
          .kernel = {kernel, kernel},
          .stride = {stride, stride},
          .padding = {padding, padding, padding, padding},
          .groups = groups};
}

INSTANTIATE_TEST_SUITE_P(
    Convolution, LayerTest,
    testing::Values(
        // AlexNet's own, some of fewer rows: each convolution of each of the four networks.
        convolution("conv1", {3, 51, 227}, square(96, 11, 4)), convolution("conv1_torchvision", {3, 48, 224}, square(64, 11, 4, 2)),
        convolution("conv2", {96, 9, 27}, square(256, 5, 1, 2)), convolution("conv2_groups", {96, 9, 27}, square(256, 5, 1, 2, 2)),
        convolution("conv2_torchvision", {64, 9, 27}, square(192, 5, 1, 2)),
        convolution("conv3", {256, 5, 13}, square(384, 3, 1, 1)), convolution("conv4", {384, 5, 13}, square(384, 3, 1, 1)),
        convolution("conv4_groups", {384, 5, 13}, square(384, 3, 1, 1, 2)),
        convolution("conv5", {384, 5, 13}, square(256, 3, 1, 1)),
        convolution("conv5_groups", {384, 5, 13}, square(256, 3, 1, 1, 2)),
        // Sizes that bite.
        convolution("one_of_everything", {1, 1, 1}, square(1, 1)), convolution("one_channel", {1, 9, 7}, square(5, 3, 1, 1)),
        convolution("seven_to_nine", {7, 13, 11}, square(9, 3, 1, 1)),
        convolution("one_past_the_vector", {17, 6, 18}, square(33, 3)), convolution("pointwise", {64, 7, 7}, square(48, 1)),
        convolution("pointwise_strided", {20, 9, 9}, square(24, 1, 2)),
        convolution("depthwise", {32, 9, 9}, square(32, 3, 1, 1, 32)),
        convolution("three_groups", {15, 8, 8}, square(6, 3, 2, 1, 3)), convolution("whole_input", {8, 6, 6}, square(10, 6)),
        convolution("kernel_beyond_input", {4, 2, 2}, square(6, 5, 1, 2)),
        convolution("padding_as_the_kernel", {4, 5, 5}, square(8, 3, 1, 3)),
        convolution("asymmetric_padding", {8, 9, 10},
                    {.out_channels = 16, .kernel = {3, 5}, .stride = {1, 2}, .padding = {0, 1, 2, 3}, .bias = false}),
        convolution("dilated", {16, 15, 15}, {.out_channels = 16, .kernel = {3, 3}, .padding = {2, 2, 2, 2}, .dilation = {2, 2}}),
        convolution("dilated_unevenly", {3, 15, 15},
                    {.out_channels = 4, .kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 3, 2, 0}, .dilation = {1, 3}}),
        convolution("no_bias", {16, 8, 8}, {.out_channels = 16, .kernel = {3, 3}, .bias = false}),
        convolution("row_kernel", {6, 5, 40}, {.out_channels = 8, .kernel = {1, 7}, .padding = {0, 3, 0, 3}})),
    name_of);

Case linear(std::string name, std::int64_t in, std::int64_t out, bool bias = true) {
  return {std::move(name), Linear{.out_features = out, .bias = bias}, {in}, sum_of(in)};
}

INSTANTIATE_TEST_SUITE_P(Linear, LayerTest,
                         testing::Values(linear("fc6", 9216, 512), linear("fc7", 4096, 4096), linear("fc8", 4096, 1000),
                                         linear("fc8_tiny", 4096, 200), linear("one_by_one", 1, 1), linear("one_output", 37, 1),
                                         linear("one_input", 1, 37), linear("two_outputs", 16, 2), linear("three_outputs", 15, 3),
                                         linear("one_past_the_vector", 17, 33), linear("no_bias", 100, 10, false),
                                         linear("block_and_a_rest", 512 * 2 + 5, 35)),
                         name_of);

Case response(std::string name, Shape sample, Lrn layer) {
  return {std::move(name), layer, sample, normalisation(layer.local_size)};
}

INSTANTIATE_TEST_SUITE_P(
    Lrn, LayerTest,
    testing::Values(
        response("norm1", {96, 27, 27}, {.k = 2}), response("norm1_caffenet", {96, 27, 27}, {}),
        response("norm2", {256, 13, 13}, {.k = 2}), response("one_pixel", {7, 1, 1}, {.alpha = 1}),
        response("five_channels", {5, 3, 3}, {.local_size = 9, .alpha = 1}),
        response("one", {16, 5, 5}, {.local_size = 1, .alpha = 1}), response("three", {32, 5, 7}, {.local_size = 3, .alpha = 1}),
        response("seven", {32, 5, 7}, {.local_size = 7, .alpha = 1}),
        response("beyond_the_channels", {16, 4, 4}, {.local_size = 99, .alpha = 1}),
        response("even_before", {32, 5, 7}, {.local_size = 4, .alpha = 1, .even_window = EvenWindow::before}),
        response("even_after", {32, 5, 7}, {.local_size = 4, .alpha = 1, .even_window = EvenWindow::after}),
        response("even_none", {32, 5, 7}, {.local_size = 4, .alpha = 1, .even_window = EvenWindow::none}),
        response("towers", {32, 5, 7}, {.alpha = 1, .groups = 2}),
        response("every_channel_alone", {8, 3, 3}, {.alpha = 1, .groups = 8}),
        response("beta_half", {32, 5, 7}, {.alpha = 1, .beta = 0.5}), response("beta_one", {32, 5, 7}, {.alpha = 1, .beta = 1}),
        response("beta_odd", {32, 5, 7}, {.alpha = 1, .beta = 0.6}), response("beta_zero", {32, 5, 7}, {.alpha = 1, .beta = 0}),
        response("beta_negative", {32, 5, 7}, {.alpha = 1, .beta = -0.5}), response("rank_2", {40}, {.alpha = 1}),
        response("rank_3", {40, 9}, {.alpha = 1}), response("rank_5", {20, 3, 4, 5}, {.alpha = 1})),
    name_of);

Case within(std::string name, Shape sample, Lrn layer) {
  layer.region = LrnRegion::within_channel;
  return {std::move(name), layer, sample, normalisation(layer.local_size * layer.local_size)};
}

INSTANTIATE_TEST_SUITE_P(
    LrnWithin, LayerTest,
    testing::Values(within("three", {5, 9, 11}, {.local_size = 3, .alpha = 1}), within("five", {16, 13, 13}, {.alpha = 1}),
                    within("beyond_the_map", {3, 4, 19}, {.local_size = 21, .alpha = 1}),
                    within("even_none", {3, 9, 11}, {.local_size = 4, .alpha = 1, .even_window = EvenWindow::none}),
                    within("even_before", {3, 9, 11}, {.local_size = 4, .alpha = 1, .even_window = EvenWindow::before}),
                    within("one_pixel", {3, 1, 1}, {.local_size = 3, .alpha = 1})),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    MaxPool, LayerTest,
    testing::Values(Case{"pool1", MaxPool{.kernel = {3, 3}, .stride = {2, 2}}, {96, 55, 55}},
                    Case{"pool5", MaxPool{.kernel = {3, 3}, .stride = {2, 2}}, {256, 13, 13}},
                    Case{"padded", MaxPool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}}, {5, 12, 11}},
                    Case{"hanging_over", MaxPool{.kernel = {3, 3}, .stride = {2, 2}, .rounding = Rounding::ceil}, {16, 14, 12}},
                    Case{"hanging_over_padded",
                         MaxPool{.kernel = {3, 2}, .stride = {3, 3}, .padding = {1, 0, 0, 1}, .rounding = Rounding::ceil},
                         {16, 10, 11}},
                    Case{"clipped",
                         MaxPool{.kernel = {2, 2}, .stride = {3, 3}, .padding = {1, 1, 1, 1}, .rounding = Rounding::ceil},
                         {3, 4, 7}},
                    Case{"dilated", MaxPool{.kernel = {3, 3}, .dilation = {2, 3}}, {16, 12, 12}},
                    Case{"gaps", MaxPool{.kernel = {2, 2}, .stride = {5, 5}}, {16, 14, 13}},
                    Case{"whole", MaxPool{.kernel = {6, 6}}, {7, 6, 6}}),
    name_of);

// The divisor is exact and the reference adds in double; seven roundings of up to 49 taps.
INSTANTIATE_TEST_SUITE_P(
    AveragePool, LayerTest,
    testing::Values(
        Case{"plain", AveragePool{.kernel = {3, 3}, .stride = {2, 2}}, {96, 13, 13}, sum_of(9)},
        Case{"present", AveragePool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}}, {5, 12, 11}, sum_of(9)},
        Case{"padding_counted",
             AveragePool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}, .count_padding = true},
             {16, 12, 11},
             sum_of(9)},
        Case{"hanging_over", AveragePool{.kernel = {3, 3}, .stride = {2, 2}, .rounding = Rounding::ceil}, {16, 14, 12}, sum_of(9)},
        Case{"hanging_over_counted",
             AveragePool{
                 .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}, .rounding = Rounding::ceil, .count_padding = true},
             {16, 14, 12},
             sum_of(9)},
        Case{"asymmetric_counted",
             AveragePool{.kernel = {3, 4}, .stride = {2, 3}, .padding = {0, 1, 2, 3}, .count_padding = true},
             {16, 14, 12},
             sum_of(12)},
        Case{"dilated",
             AveragePool{.kernel = {3, 3}, .padding = {1, 1, 1, 1}, .dilation = {2, 2}, .count_padding = true},
             {16, 12, 12},
             sum_of(9)},
        Case{"adaptive_same", AdaptiveAveragePool{.output = {6, 6}}, {32, 6, 6}},
        Case{"adaptive_even", AdaptiveAveragePool{.output = {6, 3}}, {32, 12, 12}, sum_of(8)},
        Case{"adaptive_uneven", AdaptiveAveragePool{.output = {6, 6}}, {32, 13, 7}, sum_of(12)},
        Case{"adaptive_global", AdaptiveAveragePool{.output = {1, 1}}, {32, 13, 7}, sum_of(91)},
        Case{"adaptive_upwards", AdaptiveAveragePool{.output = {6, 6}}, {3, 4, 5}, sum_of(4)}),
    name_of);

// exp() of x - max: the difference is rounded, |x - max| <= 4 here, and that rounding is relative in the power; the polynomial
// adds two, sum and quotient the rest.
INSTANTIATE_TEST_SUITE_P(Softmax, LayerTest,
                         testing::Values(Case{"prob", Softmax{}, {1000}, sum_of(1000) + 6}, Case{"one", Softmax{}, {1}},
                                         Case{"over_channels", Softmax{}, {21, 5, 6}, sum_of(21) + 6},
                                         Case{"over_rows", Softmax{.axis = 2}, {5, 21, 6}, sum_of(21) + 6},
                                         Case{"over_columns", Softmax{.axis = 3}, {5, 6, 21}, sum_of(21) + 6}),
                         name_of);

// Root, quotient, product and two sums, of |x| + |mean|.
INSTANTIATE_TEST_SUITE_P(BatchNorm, LayerTest,
                         testing::Values(Case{"maps", BatchNorm{}, {20, 5, 6}, 8}, Case{"features", BatchNorm{}, {37}, 8},
                                         Case{"no_scale", BatchNorm{.epsilon = 1e-3, .scale = false}, {16, 5, 6}, 8},
                                         Case{"no_offset", BatchNorm{.offset = false}, {16, 5, 6}, 8},
                                         Case{"neither", BatchNorm{.scale = false, .offset = false}, {16, 9}, 8}),
                         name_of);

// Product and sum; none with a fused multiply-add, whose bits are the reference's.
INSTANTIATE_TEST_SUITE_P(ScaleShift, LayerTest,
                         testing::Values(Case{
                             "maps", ScaleShift{}, {3, 5, 6}, instruction_set().simd >= SimdLevel::avx2 ? 0.0 : 2.0}),
                         name_of);

INSTANTIATE_TEST_SUITE_P(Exact, LayerTest,
                         testing::Values(Case{"relu", Relu{}, {96, 9, 9}}, Case{"relu_of_features", Relu{}, {5000}},
                                         Case{"dropout", Dropout{}, {5, 6, 7}}, Case{"flatten", Flatten{}, {5, 6, 7}},
                                         Case{"clip", Clip{-0.5, 0.25}, {3, 5, 6}},
                                         Case{"pad", Pad{{0, 1, 2}, {1, 0, 3}, -1}, {3, 5, 6}},
                                         Case{"slice", Slice{.axis = 1, .begin = 4, .count = 2, .step = -2}, {5, 4, 3}},
                                         Case{"transpose", Transpose{{2, 3, 1}}, {3, 5, 6}}),
                         name_of);

// What the frameworks themselves gave, through the compiled layer. Differences are relative to the larger of 1 and |y|.
TEST(LrnLayer, GivesTheKnownAnswers) {
  for (const auto& answer : test::lrn_known_answers()) {
    const Lrn layer = lrn::layer(answer.source);
    const Case c{"known", layer, answer.shape};
    const Tensor x = Tensor::of<float>(answer.shape.with_batch(1), answer.x);
    const Tensor y = test::run(model_of(c), {x}).front();
    for (std::size_t i = 0; i < answer.y.size(); ++i) {
      if (std::isnan(answer.y[i])) continue;
      const double allowed =
          answer.tolerance + normalisation(layer.local_size * layer.local_size) * kRoundoff * std::max(1.0, std::fabs(answer.y[i]));
      EXPECT_NEAR(static_cast<double>(y.values<float>()[i]), answer.y[i], allowed)
          << "element " << i << " of size " << layer.local_size;
    }
  }
}

}  // namespace
}  // namespace alexnet
