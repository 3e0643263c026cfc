#include "passes/passes.h"

#include "tensor/weight_forms.h"
#include "tests/layers/golden.h"
#include "tests/passes/plain_run.h"

namespace alexnet::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> result;
  for (const auto& node : graph.nodes) result.push_back(node.name);
  return result;
}

// All outputs and kept names of the optimised model against the plain one's.
void expect_same(const Model& plain, const Optimised& optimised, std::span<const std::string> keep, double tolerance) {
  check(optimised.model, "optimised");
  std::map<std::string, Tensor> inputs;
  for (const auto& [name, shape] : plain.graph.inputs) inputs[name] = generated(shape.with_batch(2), 7, -2, 2);
  const auto wanted = plain_run(plain, inputs);
  const auto found = plain_run(optimised.model, inputs);
  const auto compare = [&](const std::string& name) {
    ASSERT_TRUE(found.contains(optimised.resolved(name))) << name;
    const auto x = wanted.at(name).values<float>();
    const auto y = found.at(optimised.resolved(name)).values<float>();
    ASSERT_EQ(wanted.at(name).shape(), found.at(optimised.resolved(name)).shape());
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], tolerance) << name << ' ' << i;
  };
  for (const auto& name : plain.graph.outputs) compare(name);
  for (const auto& name : keep) compare(name);
  // No name changed its meaning.
  for (const auto& [name, tensor] : found) compare(name);
}

TEST(DropDropout, LeavesAnAlias) {
  const Model plain = generated_model({{{"data", {4}}},
                                       {{"drop0", Dropout{}, {"data"}},
                                        {"fc", Linear{.out_features = 3}, {"drop0"}},
                                        {"drop1", Dropout{}, {"fc"}},
                                        {"drop2", Dropout{}, {"drop1"}},
                                        {"relu", Relu{}, {"drop2"}}},
                                       {"relu", "drop2"}});
  const auto result = drop_dropout({.model = plain, .aliases = {}, .notes = {}}, {});
  EXPECT_THAT(names(result.model.graph), ElementsAre("fc", "relu"));
  EXPECT_THAT(result.aliases, ElementsAre(Pair("drop0", "data"), Pair("drop1", "fc"), Pair("drop2", "fc")));
  EXPECT_THAT(result.model.graph.outputs, ElementsAre("relu", "fc"));
  EXPECT_THAT(result.notes, ElementsAre("dropped dropout 'drop0'", "dropped dropout 'drop1'", "dropped dropout 'drop2'"));
  expect_same(plain, result, std::vector<std::string>{"drop0", "drop1"}, 0);
}

// data -> conv -> bn -> relu, and whatever a case changes.
Graph normalised() {
  return {{{"data", {6, 5, 7}}},
          {{"conv", Convolution{.out_channels = 4, .kernel = {3, 2}, .padding = {1, 0, 0, 1}, .groups = 2}, {"data"}},
           {"bn", BatchNorm{}, {"conv"}},
           {"relu", Relu{}, {"bn"}}},
          {"relu"}};
}

// The largest sum of |w * x| that a case here makes is that of 18 taps: |w| < 1 scaled by at most 1 / sqrt(0.1), |x| < 2, thus
// below 114. Folded and unfolded round each weight, the bias and the result once, and the unfolded one the convolution's and
// the normalisation's result besides: 4 roundings of 2^-24 of at most that much.
constexpr double kTolerance = 4 * 114 * 0x1p-24;

TEST(FoldAffine, IntoTheConvolutionBeforeIt) {
  for (const bool bias : {true, false}) {
    for (const bool scale : {true, false}) {
      for (const bool offset : {true, false}) {
        Graph graph = normalised();
        std::get<Convolution>(graph.nodes[0].layer).bias = bias;
        graph.nodes[1].layer = BatchNorm{.epsilon = 1e-3, .scale = scale, .offset = offset};
        const Model plain = generated_model(graph);
        const auto result = optimised(plain, {});
        EXPECT_THAT(names(result.model.graph), ElementsAre("bn", "relu"));
        EXPECT_THAT(result.notes, ElementsAre("folded batch_norm 'bn' into convolution 'conv' before it, now 'bn'"));
        expect_same(plain, result, {}, kTolerance);
      }
    }
  }
}

TEST(FoldAffine, IntoTheLinearLayerBeforeIt) {
  const Model plain = generated_model(
      {{{"data", {9}}},
       {{"fc", Linear{.out_features = 5, .bias = false}, {"data"}}, {"drop", Dropout{}, {"fc"}}, {"bn", BatchNorm{}, {"drop"}}},
       {"bn"}});
  const auto result = optimised(plain, {});
  EXPECT_THAT(names(result.model.graph), ElementsAre("bn"));
  EXPECT_THAT(result.notes, ElementsAre("dropped dropout 'drop'", "folded batch_norm 'bn' into linear 'fc' before it, now 'bn'"));
  // The dropout's values vanished with the linear layer's.
  EXPECT_THAT(result.aliases, IsEmpty());
  expect_same(plain, result, {}, kTolerance);
}

TEST(FoldAffine, KeepsInt8AndItsZeros) {
  for (const auto storage : {Storage::int8, Storage::int8_sparse, Storage::f16, Storage::bf16}) {
    Model plain = generated_model(normalised());
    plain.weights["conv.weight"] = stored(widened(plain.weights["conv.weight"]), storage);
    const auto result = optimised(plain, {});
    ASSERT_EQ(result.notes.size(), 1u);
    const auto& folded = result.model.weights.at("bn.weight");
    const bool int8 = storage == Storage::int8 || storage == Storage::int8_sparse;
    EXPECT_EQ(folded.storage, int8 ? storage : Storage::f32);
    if (int8) {
      const auto& before = plain.weights["conv.weight"].data;
      EXPECT_THAT(folded.data.values<std::int8_t>(), testing::ElementsAreArray(before.values<std::int8_t>()));
    }
    expect_same(plain, result, {}, kTolerance);
  }
}

TEST(FoldAffine, LeavesValuesThatAreNeeded) {
  // Someone asks for them.
  const Model plain = generated_model(normalised());
  const std::vector<std::string> keep{"conv"};
  auto result = optimised(plain, keep);
  EXPECT_THAT(names(result.model.graph), ElementsAre("conv", "bn", "relu"));
  EXPECT_THAT(result.notes, IsEmpty());
  expect_same(plain, result, keep, 0);
  // They are an output.
  Graph graph = normalised();
  graph.outputs = {"relu", "conv"};
  EXPECT_THAT(names(optimised(generated_model(graph), {}).model.graph), ElementsAre("conv", "bn", "relu"));
  // Another layer reads them.
  graph = normalised();
  graph.nodes.push_back({"pool", MaxPool{.kernel = {2, 2}}, {"conv"}});
  EXPECT_THAT(names(optimised(generated_model(graph), {}).model.graph), ElementsAre("conv", "bn", "relu", "pool"));
  // Someone asks for the dropout that has the same values.
  graph = normalised();
  graph.nodes.insert(graph.nodes.begin() + 1, {"drop", Dropout{}, {"conv"}});
  const std::vector<std::string> keep_drop{"drop"};
  result = optimised(generated_model(graph), keep_drop);
  EXPECT_THAT(names(result.model.graph), ElementsAre("conv", "bn", "relu"));
  EXPECT_EQ(result.resolved("drop"), "conv");
}

TEST(FoldAffine, KeepsTheAliasesOfItsOwnName) {
  Graph graph = normalised();
  graph.nodes[2] = {"drop", Dropout{}, {"bn"}};
  graph.outputs = {"drop"};
  const Model plain = generated_model(graph);
  const auto result = optimised(plain, {});
  EXPECT_THAT(names(result.model.graph), ElementsAre("bn"));
  EXPECT_THAT(result.aliases, ElementsAre(Pair("drop", "bn")));
  EXPECT_THAT(result.model.graph.outputs, ElementsAre("bn"));
  expect_same(plain, result, std::vector<std::string>{"drop"}, kTolerance);
}

TEST(FoldAffine, IntoTheConvolutionBehindIt) {
  for (const std::int64_t groups : {1, 2, 3}) {
    for (const bool bias : {true, false}) {
      const Model plain =
          generated_model({{{"data", {6, 5, 7}}},
                           {{"bn", BatchNorm{}, {"data"}},
                            {"conv", Convolution{.out_channels = 6, .kernel = {3, 1}, .groups = groups, .bias = bias}, {"bn"}}},
                           {"conv"}});
      const auto result = optimised(plain, {});
      EXPECT_THAT(names(result.model.graph), ElementsAre("conv"));
      EXPECT_THAT(result.notes, ElementsAre("folded batch_norm 'bn' into convolution 'conv' behind it"));
      expect_same(plain, result, {}, kTolerance);
    }
  }
}

TEST(FoldAffine, IntoTheLinearLayerBehindIt) {
  const Model plain =
      generated_model({{{"data", {9}}},
                       {{"relu", Relu{}, {"data"}}, {"bn", BatchNorm{}, {"relu"}}, {"fc", Linear{.out_features = 5}, {"bn"}}},
                       {"fc"}});
  const auto result = optimised(plain, {});
  EXPECT_THAT(names(result.model.graph), ElementsAre("relu", "fc"));
  expect_same(plain, result, {}, kTolerance);
}

TEST(FoldAffine, NotWhereItWouldNotBeTheSame) {
  const auto graph = [](std::int64_t padding) {
    return Graph{{{"data", {6, 5, 7}}},
                 {{"bn", BatchNorm{}, {"data"}},
                  {"conv", Convolution{.out_channels = 6, .kernel = {3, 1}, .padding = {padding, 0, 0, 0}}, {"bn"}}},
                 {"conv"}};
  };
  // Padding is zero behind the normalisation, not before it.
  EXPECT_THAT(optimised(generated_model(graph(1)), {}).notes, IsEmpty());
  // The scales of int8 belong to rows.
  Model plain = generated_model(graph(0));
  plain.weights["conv.weight"] = stored(widened(plain.weights["conv.weight"]), Storage::int8);
  EXPECT_THAT(optimised(plain, {}).notes, IsEmpty());
  // A variance and epsilon of 0 give infinities, which must stay visible.
  Graph zero = normalised();
  zero.nodes[1].layer = BatchNorm{.epsilon = 0};
  plain = generated_model(zero);
  plain.weights["bn.variance"] = Weight::of(generated({4}, 1, 0, 0));
  EXPECT_THAT(optimised(plain, {}).notes, IsEmpty());
  // Weights that would overflow.
  plain = generated_model(normalised());
  plain.weights["bn.scale"] = Weight::of(generated({4}, 1, 3e38, 3e38));
  plain.weights["bn.variance"] = Weight::of(generated({4}, 1, 1e-5, 1e-5));
  EXPECT_THAT(optimised(plain, {}).notes, IsEmpty());
}

TEST(FoldAffine, AChainGoesIntoOneConvolution) {
  Graph graph = normalised();
  graph.nodes.insert(graph.nodes.begin() + 2, {"bn2", BatchNorm{}, {"bn"}});
  graph.nodes.back().inputs = {"bn2"};
  const Model plain = generated_model(graph);
  const auto result = optimised(plain, {});
  EXPECT_THAT(names(result.model.graph), ElementsAre("bn2", "relu"));
  // Two normalisations scale by at most 1 / 0.1.
  expect_same(plain, result, {}, kTolerance * 2 / std::sqrt(0.1));
}

TEST(FoldAffine, TakesEveryLayerThatScalesAndShiftsChannels) {
  for (const Layer& layer : {Layer(BatchNorm{}), Layer(MovingAverageBatchNorm{.offset = false}), Layer(ScaleShift{}),
                             Layer(ScaleShift{.scale = false}), Layer(Scale{.factor = 0.5})}) {
    Graph graph = normalised();
    graph.nodes[1].layer = layer;
    Model plain = generated_model(graph);
    auto result = optimised(plain, {});
    EXPECT_THAT(names(result.model.graph), ElementsAre("bn", "relu")) << kind(layer);
    expect_same(plain, result, {}, kTolerance);
    // With no linear layer before it, into the one that reads it.
    plain = generated_model({{{"data", {9}}}, {{"norm", layer, {"data"}}, {"fc", Linear{.out_features = 5}, {"norm"}}}, {"fc"}});
    result = optimised(plain, {});
    EXPECT_THAT(names(result.model.graph), ElementsAre("fc")) << kind(layer);
    expect_same(plain, result, {}, kTolerance);
  }
}

// MABN stands behind a convolution whose weights are centred; folding keeps what that gives.
TEST(FoldAffine, MabnBehindCentredWeights) {
  Graph graph = normalised();
  graph.nodes[1].layer = MovingAverageBatchNorm{};
  Model plain = generated_model(graph);
  plain.weights["conv.weight"] = Weight::of(centred(widened(plain.weights["conv.weight"])));
  const auto result = optimised(plain, {});
  EXPECT_THAT(result.notes, ElementsAre("folded moving_average_batch_norm 'bn' into convolution 'conv' before it, now 'bn'"));
  // Centred weights are below 2.
  expect_same(plain, result, {}, 2 * kTolerance);
}

TEST(FoldAffine, AFactorLeavesInt8AsItIs) {
  Model plain = generated_model(
      {{{"data", {9}}}, {{"half", Scale{.factor = 0.5}, {"data"}}, {"fc", Linear{.out_features = 5}, {"half"}}}, {"fc"}});
  plain.weights["fc.weight"] = stored(widened(plain.weights["fc.weight"]), Storage::int8_sparse);
  const auto result = optimised(plain, {});
  EXPECT_THAT(names(result.model.graph), ElementsAre("fc"));
  EXPECT_EQ(result.model.weights.at("fc.weight").storage, Storage::int8_sparse);
  // Halving is exact.
  expect_same(plain, result, {}, 0);
}

TEST(FoldAffine, MergesAChainThatNoLinearLayerTakes) {
  const Model plain = generated_model({{{"data", {6, 5, 7}}},
                                       {{"bn", BatchNorm{}, {"data"}},
                                        {"scale", ScaleShift{}, {"bn"}},
                                        {"third", Scale{.factor = 3}, {"scale"}},
                                        {"relu", Relu{}, {"third"}}},
                                       {"relu"}});
  auto result = optimised(plain, {});
  EXPECT_THAT(names(result.model.graph), ElementsAre("third", "relu"));
  EXPECT_THAT(result.notes, ElementsAre("merged batch_norm 'bn' with scale_shift 'scale' behind it",
                                        "merged scale_shift 'scale' with scale 'third' behind it"));
  expect_same(plain, result, {}, kTolerance);
  const std::vector<std::string> keep{"bn"};
  result = optimised(plain, keep);
  EXPECT_THAT(names(result.model.graph), ElementsAre("bn", "third", "relu"));
  expect_same(plain, result, keep, kTolerance);
}

TEST(Passes, StandInOneVisibleList) {
  std::vector<std::string> listed;
  for (const auto& pass : passes()) listed.emplace_back(pass.name);
  EXPECT_THAT(listed, ElementsAre("drop_dropout", "fold_affine"));
}

}  // namespace
}  // namespace alexnet::test
