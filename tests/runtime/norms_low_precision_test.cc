// Normalisations inside networks that compute in bf16 and int8: their statistics, and all that they compute, are f32's.
#include <cmath>

#include <nlohmann/json.hpp>

#include "runtime/instruction_set.h"
#include "runtime/precision.h"
#include "tests/layers/finite_cases.h"
#include "tests/layers/golden.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

const Shape kSample{3, 8, 9};

// The layer reads what a convolution of few bits makes, and feeds another one.
Model normed(const Layer& layer) {
  return test::generated_model({.inputs = {{"data", kSample}},
                                .nodes = {{"conv1", Convolution{.out_channels = 32, .kernel = {3, 3}}, {"data"}},
                                          {"norm", layer, {"conv1"}},
                                          {"relu", Relu{}, {"norm"}},
                                          {"conv2", Convolution{.out_channels = 16, .kernel = {3, 3}}, {"relu"}}},
                                .outputs = {"conv2"}});
}

std::vector<Tensor> learned(const Model& model, const Shape& shape) {
  std::vector<Tensor> result;
  for (const auto& parameter : parameters(find(model.graph, "norm")->layer, std::span(&shape, 1)))
    result.push_back(widened(model.weights.at(fmt::format("norm.{}", parameter.name))));
  return result;
}

// What the next layer reads may be rounded once, to 8 bits.
double rounding(const PlanStep& step) {
  return step.destination_layout.find("bf16") == std::string::npos ? 0 : std::ldexp(1.0, -8);
}

void expect_f32(const Model& model, Precision precision, const Tensor& x) {
  const Layer& layer = find(model.graph, "norm")->layer;
  const auto network = compile(model, {.threads = 2, .precision = precision, .emulate_bf16 = true, .keep = {"conv1", "norm"}});
  Session session(network);
  std::map<std::string, Tensor> found;
  const auto outputs = test::run(session, *network, {x});
  for (std::size_t i = 0; i < outputs.size(); ++i) found[network->outputs()[i].name] = outputs[i];
  const PlanStep* step = test::step_of(network->plan(), "norm");
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(step->precision, "f32");
  EXPECT_EQ(test::step_of(network->plan(), "conv2")->precision, name(precision));
  EXPECT_NE(step->implementation, "reference");

  const Tensor& read = found.at("conv1");
  const Tensor expected = reference(layer, std::span(&read, 1), learned(model, read.shape()));
  const auto wanted = expected.values<float>();
  double largest = 0;
  for (const float value : wanted) largest = std::max(largest, std::fabs(static_cast<double>(value)));
  // As in norms_test.cc: 8 roundings of an element, a window's of response normalisations, 64 of the largest.
  const auto* lrn = std::get_if<Lrn>(&layer);
  const double window = lrn == nullptr ? 0 : static_cast<double>(lrn->local_size * lrn->local_size);
  const double relative = std::ldexp(8 + window, -24) + rounding(*step);
  const double absolute = std::ldexp(64 * largest, -24);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double value = static_cast<double>(wanted[i]);
    ASSERT_NEAR(static_cast<double>(found.at("norm").values<float>()[i]), value, relative * std::fabs(value) + absolute) << i;
  }
  for (const float value : found.at("conv2").values<float>()) ASSERT_TRUE(std::isfinite(value));
}

// All layers, of the response normalisations those of one exponent and constant.
TEST(NormLayersInFewBits, ComputeInF32) {
  for (const auto& layer : test::normalisations()) {
    if (const auto* lrn = std::get_if<Lrn>(&layer); lrn != nullptr && (lrn->beta != 0.75 || lrn->k != 1)) continue;
    Model model = normed(layer);
    for (const double size : {2.0, 1e4}) {
      const Tensor x = test::generated(kSample.with_batch(2), 3, -size, size);
      test::add_ranges(model, x);
      for (const auto precision : {Precision::bf16, Precision::int8}) {
        if (precision == Precision::bf16 && instruction_set().simd < SimdLevel::avx512) continue;
        SCOPED_TRACE(fmt::format("{} in {}, up to {}", to_json(layer).dump(), name(precision), size));
        expect_f32(model, precision, x);
      }
    }
  }
}

}  // namespace
}  // namespace alexnet
