// int8 step by step: what each step makes of what the step before gave, against the plain reference with the same rounded numbers.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "model/architecture.h"
#include "passes/passes.h"
#include "runtime/instruction_set.h"
#include "runtime/quantisation.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Steps that int8 changes, and those between them.
bool is_judged(const PlanStep& step) {
  static const std::set<std::string> kJudged{"convolution", "linear", "lrn", "max_pool", "relu"};
  return kJudged.contains(step.kind);
}

// With a f32 factor, as the kernel has it: dequantised numbers of another scale may stand at a tie.
Tensor rounded_to_u8(const Tensor& x, const Quantisation& as) {
  Tensor result = Tensor::zeros(x.shape());
  const float factor = 1 / as.scale;
  std::ranges::transform(x.values<float>(), result.mutable_values<float>().begin(), [&](float value) {
    const double q = std::nearbyint(std::fma(value, factor, static_cast<float>(as.zero)));
    return static_cast<float>((std::clamp<double>(q, 0, as.most) - as.zero) * static_cast<double>(as.scale));
  });
  return result;
}

// Numbers between steps, so that no rounding to u8 stands at a tie.
Tensor between_ties(const Shape& shape, const Range& range) {
  const Quantisation as = quantisation(range, instruction_set().vnni);
  Tensor x = test::generated_tensor(shape, "data", std::max(-range.lowest, range.highest) * 1.1);
  for (float& value : x.mutable_values<float>())
    value = (std::nearbyint(value / as.scale) + 0.25f * std::copysign(1.0f, value)) * as.scale;
  return x;
}

// Runs the model in int8 with the result of every step as an output, and judges each step by itself.
class StepByStep {
 public:
  StepByStep(const Model& model, const Tensor& x, const std::string& what)
      : model_(optimised(model, model.graph.outputs).model), ranges_(ranges_from_json(parse_json(model.ranges, ""))), what_(what) {
    CompileOptions options{.threads = 2, .precision = Precision::int8};
    const Plan plain = compile(model_, options)->plan();
    for (const auto& step : plain.steps)
      if (is_judged(step)) options.keep.push_back(step.layers.back());
    const auto network = compile(model_, options);
    plan_ = network->plan();
    Session session(network);
    const auto outputs = test::run(session, *network, {x});
    for (std::size_t i = 0; i < outputs.size(); ++i) values_[network->outputs()[i].name] = outputs[i];
    values_[model.graph.inputs[0].name] = x;
  }

  const Plan& plan() const { return plan_; }

  void expect_right() {
    for (const auto& step : plan_.steps)
      if (is_judged(step)) expect_right(step);
  }

 private:
  Quantisation quantisation_of(const std::string& name) const {
    return quantisation(ranges_.tensors.at(name), instruction_set().vnni);
  }

  // The values that a layer reads: past layers without a step, which pass them on or show them under another shape.
  const std::string& source_of(const std::string& layer) const {
    const std::string& input = find(model_.graph, layer)->inputs[0];
    return values_.contains(input) ? input : source_of(input);
  }

  void expect_right(const PlanStep& step) {
    const std::string& from = source_of(step.layers[0]);
    const bool int8_step = step.precision == "int8";
    Tensor y = values_.at(from);
    if (int8_step && !scales_.contains(from)) y = rounded_to_u8(y, quantisation_of(from));
    // Of a sum, at most: all products at their largest.
    double terms = 0;
    for (const auto& layer : step.layers) {
      const Node& node = *find(model_.graph, layer);
      if (std::holds_alternative<Linear>(node.layer)) y = y.reshaped({y.shape()[0], y.shape().elements() / y.shape()[0]});
      const auto weights = weights_of(node, int8_step, y, terms);
      y = reference(node.layer, std::span(&y, 1), weights);
    }
    const Tensor& found = values_.at(step.layers.back());
    const auto tag = fmt::format("{}: {} by {}", what_, step.layers.back(), step.implementation);
    ASSERT_EQ(to_string(found.shape()), to_string(y.shape())) << tag;
    const bool u8 = step.destination_layout.find("u8") != std::string::npos;
    const bool only_moves = step.kind == "max_pool";
    std::optional<Quantisation> as;
    if (u8) as = only_moves ? scales_.at(from) : quantisation_of(step.layers.back());
    if (u8) scales_[step.layers.back()] = *as;
    // Rounded once to half a step. The sum is exact; its conversion, the products with the scale and the zeros' share are rounded
    // to f32, 2^-24 each: 4 of them. A normalisation is within 2^-20, and twice that with the sum of squares.
    const double exact = 4 * std::ldexp(terms, -24);
    const double relative = step.kind == "lrn" ? std::ldexp(1.0, -19) : std::ldexp(1.0, -23);
    const double half = u8 && !only_moves ? 0.5 * static_cast<double>(as->scale) : 0;
    double worst = 0;
    for (std::size_t i = 0; i < y.values<float>().size(); ++i) {
      double wanted = static_cast<double>(y.values<float>()[i]);
      if (u8) wanted = std::clamp(wanted, 0.0, static_cast<double>(as->scale) * as->most);
      const double error = std::fabs(static_cast<double>(found.values<float>()[i]) - wanted);
      const double allowed = half + exact + relative * std::fabs(wanted);
      if (error > 0) worst = std::max(worst, error / allowed);
    }
    EXPECT_LE(worst, 1) << tag;
  }

  std::vector<Tensor> weights_of(const Node& node, bool as_int8, const Tensor& x, double& terms) const {
    std::vector<Tensor> result;
    const Shape shape = x.shape();
    for (const auto& parameter : parameters(node.layer, std::span(&shape, 1))) {
      const Weight& weight = model_.weights.at(fmt::format("{}.{}", node.name, parameter.name));
      const bool rounded = as_int8 && parameter.name == "weight" && weight.storage == Storage::f32;
      result.push_back(widened(rounded ? stored(widened(weight), Storage::int8) : weight));
      if (parameter.name != "weight") continue;
      double largest = 0;
      for (const float value : x.values<float>()) largest = std::max(largest, std::fabs(static_cast<double>(value)));
      const auto row = static_cast<std::size_t>(parameter.shape.elements() / parameter.shape[0]);
      const auto values = result.back().values<float>();
      for (std::size_t at = 0; at < values.size(); at += row) {
        double sum = 0;
        for (const float value : values.subspan(at, row)) sum += std::fabs(static_cast<double>(value));
        // The zeros' share of a shifted input is as large again.
        terms = std::max(terms, 2 * largest * sum + 1);
      }
    }
    return result;
  }

  const Model model_;  // after the passes, which fold layers into others
  const Ranges ranges_;
  std::string what_;
  Plan plan_;
  std::map<std::string, Tensor> values_;
  std::map<std::string, Quantisation> scales_;  // of what is u8
};

struct Case {
  std::string name;
  Convolution layer;
  Shape sample;
  Range range{-2, 3};
  bool relu = true;
};

class Int8LayerTest : public testing::TestWithParam<Case> {};

Model convolution_model(const Case& c) {
  Graph graph{.inputs = {{"data", c.sample}}, .nodes = {{"conv", c.layer, {"data"}}}, .outputs = {"conv"}};
  if (c.relu) graph.nodes.push_back({"relu", Relu{}, {"conv"}}), graph.outputs = {"relu"};
  Model model = test::generated_model(graph);
  Ranges ranges;
  ranges.tensors["data"] = c.range;
  if (c.relu) ranges.tensors["relu"] = {0, 5};
  model.ranges = to_json(ranges).dump();
  return model;
}

TEST_P(Int8LayerTest, AgreesWithTheReference) {
  const Case& c = GetParam();
  const Model model = convolution_model(c);
  StepByStep steps(model, between_ties(c.sample.with_batch(2), c.range), c.name);
  const PlanStep* step = test::step_of(steps.plan(), "conv");
  EXPECT_EQ(step->precision, "int8");
  EXPECT_EQ(steps.plan().precision, "int8");
  EXPECT_EQ(steps.plan().note, "");
  EXPECT_THAT(step->destination_layout, HasSubstr(c.relu ? "u8" : "nhwc"));
  steps.expect_right();
}

INSTANTIATE_TEST_SUITE_P(
    Convolution, Int8LayerTest,
    testing::Values(
        Case{"first_layer", {.out_channels = 32, .kernel = {11, 11}, .stride = {4, 4}}, {3, 67, 63}},
        Case{
            "first_layer_padded", {.out_channels = 16, .kernel = {11, 11}, .stride = {4, 4}, .padding = {2, 2, 2, 2}}, {3, 64, 64}},
        Case{"even_blocks", {.out_channels = 16, .kernel = {4, 4}, .stride = {2, 2}, .padding = {1, 0, 1, 2}}, {3, 21, 18}},
        Case{"signed_padded", {.out_channels = 32, .kernel = {5, 5}, .padding = {2, 2, 2, 2}}, {16, 13, 13}},
        Case{"strided_channels", {.out_channels = 16, .kernel = {3, 3}, .stride = {2, 2}}, {32, 13, 13}},
        Case{"positive", {.out_channels = 32, .kernel = {3, 3}, .padding = {1, 1, 1, 1}}, {32, 13, 13}, {0, 3}},
        Case{"groups", {.out_channels = 32, .kernel = {5, 5}, .padding = {2, 2, 2, 2}, .groups = 2}, {32, 13, 13}, {0, 3}},
        Case{"one_by_one", {.out_channels = 48, .kernel = {1, 1}}, {16, 7, 5}, {0, 1}},
        Case{"no_bias", {.out_channels = 16, .kernel = {3, 3}, .bias = false}, {16, 9, 9}},
        Case{"as_f32", {.out_channels = 16, .kernel = {3, 3}}, {16, 9, 9}, {-1, 1}, /*relu=*/false}),
    [](const auto& test) { return test.param.name; });

// Dense and pruned weights, through all sizes of tiles and their ends.
TEST(Int8LayerLinear, AgreesWithTheReference) {
  struct Size {
    std::int64_t in;
    std::int64_t out;
    double density;
  };
  for (const auto& [in, out, density] :
       {Size{9216, 40, 0.08}, Size{4096, 37, 0.25}, Size{1, 1, 1}, Size{15, 3, 0.5}, Size{16, 9, 0.5}, Size{33, 4, 0.3},
        Size{64, 8, 1}, Size{127, 5, 0.3}, Size{1025, 33, 0.1}, Size{2500, 12, 0}}) {
    for (const auto storage : {Storage::f32, Storage::int8, Storage::int8_sparse}) {
      for (const bool relu : {false, true}) {
        Graph graph{.inputs = {{"data", {in}}}, .nodes = {{"fc", Linear{.out_features = out}, {"data"}}}, .outputs = {"fc"}};
        if (relu) graph.nodes.push_back({"relu", Relu{}, {"fc"}}), graph.outputs = {"relu"};
        Model model = test::generated_model(graph);
        Tensor weight = widened(model.weights.at("fc.weight"));
        const Tensor chance = test::generated_tensor(weight.shape(), "chance", 1);
        for (std::size_t i = 0; i < weight.values<float>().size(); ++i)
          if (std::fabs(static_cast<double>(chance.values<float>()[i])) > density) weight.mutable_values<float>()[i] = 0;
        model.weights.at("fc.weight") = stored(weight, storage);
        model.ranges = to_json(Ranges{.data = {}, .pictures = 0, .tensors = {{"data", {0, 4}}, {"relu", {0, 2}}}}).dump();
        if (!relu) model.ranges = to_json(Ranges{.data = {}, .pictures = 0, .tensors = {{"data", {0, 4}}}}).dump();
        for (const std::int64_t rows : {1, 3, 33}) {
          StepByStep steps(model, between_ties({rows, in}, {0, 4}),
                           fmt::format("{} to {}, {}, {} rows", in, out, name(storage), rows));
          EXPECT_EQ(test::step_of(steps.plan(), "fc")->precision, "int8");
          EXPECT_EQ(test::implementation_of(steps.plan(), "fc").find("sparse") != std::string::npos,
                    storage == Storage::int8_sparse);
          steps.expect_right();
        }
      }
    }
  }
}

// Gives the model ranges, and returns two samples for it.
Tensor with_ranges(Model& model) {
  const Shape shape = model.graph.inputs[0].shape.with_batch(2);
  const Tensor x = test::generated_tensor(shape, "data", 3);
  test::add_ranges(model, x);
  return between_ties(shape, ranges_from_json(parse_json(model.ranges, "")).tensors.at(model.graph.inputs[0].name));
}

class Int8NetworkLayerTest : public testing::TestWithParam<std::string> {};

TEST_P(Int8NetworkLayerTest, EveryStepAgreesWithTheReference) {
  Model model = test::generated_model(test::narrow(architecture(GetParam()).graph));
  const Tensor x = with_ranges(model);
  StepByStep steps(model, x, GetParam());
  steps.expect_right();
  for (const auto& step : steps.plan().steps) {
    if (step.kind != "convolution" && step.kind != "linear") continue;
    EXPECT_EQ(step.precision, "int8") << step.layers[0];
    EXPECT_THAT(step.implementation, testing::Not(StartsWith("ref"))) << step.layers[0];
  }
}

INSTANTIATE_TEST_SUITE_P(Narrow, Int8NetworkLayerTest, testing::ValuesIn(architecture_names()),
                         [](const auto& test) { return test.param; });

TEST(Int8LayerFusion, NormalisesPoolsAndRoundsInOnePass) {
  Model model = test::generated_model(test::narrow(architecture("bvlc").graph));
  with_ranges(model);
  const Plan plan = compile(model, {.precision = Precision::int8})->plan();
  const PlanStep* step = test::step_of(plan, "norm1");
  EXPECT_THAT(step->layers, testing::ElementsAre("norm1", "pool1"));
  EXPECT_THAT(step->implementation, StartsWith("own:lrn_pool:"));
  EXPECT_EQ(step->destination_layout, "nhwc u8");
  const Plan kept = compile(model, {.precision = Precision::int8, .keep = {"norm1"}})->plan();
  EXPECT_THAT(test::step_of(kept, "norm1")->layers, testing::ElementsAre("norm1"));
}

TEST(Int8Plan, SaysWhyAModelWithoutRangesRunsInF32) {
  const Model model = test::generated_model(test::narrow(architecture("bvlc").graph));
  const Plan plan = compile(model, {.precision = Precision::int8})->plan();
  EXPECT_EQ(plan.precision, "f32");
  EXPECT_EQ(
      plan.note,
      "asked for int8, computed in f32: the model holds no ranges of activations, which `alexnet convert --calibrate` measures");
}

// Layers whose ranges are not known run in f32 between others.
TEST(Int8Plan, LayersWithoutRangesRunInF32) {
  Model model = test::generated_model(test::narrow(architecture("bvlc").graph));
  const Tensor x = with_ranges(model);
  Ranges ranges = ranges_from_json(parse_json(model.ranges, ""));
  for (const auto* name : {"conv3", "relu3", "conv3.relu", "pool1"}) ranges.tensors.erase(name);
  model.ranges = to_json(ranges).dump();
  StepByStep steps(model, x, "with gaps");
  EXPECT_EQ(test::step_of(steps.plan(), "conv4")->precision, "f32");
  EXPECT_EQ(test::step_of(steps.plan(), "conv5")->precision, "int8");
  steps.expect_right();
}

}  // namespace
}  // namespace alexnet
