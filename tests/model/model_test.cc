#include "model/model.h"

#include <cmath>
#include <functional>

#include "alexnet/error.h"
#include "tests/model/small_model.h"

namespace alexnet {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// What check() says of the small model after this change; the hint in brackets, if there is one.
std::string refusal(const std::function<void(Model&)>& change) {
  Model model = test::small_model();
  change(model);
  try {
    check(model, "m");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.what();
  }
  return "accepted";
}

TEST(Model, ChecksWhatFitsTogether) {
  const struct {
    const char* what;
    std::function<void(Model&)> change;
    const char* message;
  } kCases[] = {
      {"nothing", [](Model&) {}, "accepted"},
      {"no labels, no preprocessing, no golden data",
       [](Model& m) {
         m.labels.clear();
         m.preprocessing.steps.clear();
         m.golden.reset();
       },
       "accepted"},
      {"a missing weight", [](Model& m) { m.weights.erase("fc2.bias"); }, "m: 'fc2.bias' (4) is missing"},
      {"a misspelled weight",
       [](Model& m) {
         auto node = m.weights.extract("fc2.bias");
         node.key() = "fc2.biass";
         m.weights.insert(std::move(node));
       },
       "m: 'fc2.bias' (4) is missing; 'fc2.biass' is not expected (meant as 'fc2.bias'?)"},
      {"another weight", [](Model& m) { m.weights.emplace("epoch", Weight::of(Tensor::zeros({1}))); },
       "m: 'epoch' is not expected"},
      {"a weight of another shape",
       [](Model& m) {
         m.weights["conv1.weight"] = Weight::of(Tensor::zeros({5, 3, 3, 4}));
       },
       "m: 'conv1.weight' is 5x3x3x4, layer 'conv1' wants 5x3x3x3"},
      {"several at once",
       [](Model& m) {
         m.weights.erase("bn1.mean");
         m.weights["fc2.weight"] = Weight::of(Tensor::zeros({4}));
         m.labels.pop_back();
       },
       "m: 'bn1.mean' (5) is missing; 'fc2.weight' is 4, layer 'fc2' wants 4x180; there are 3 labels for 4 outputs of 'fc2'"},
      {"labels for an output that is no row of scores", [](Model& m) { m.graph.outputs = {"conv1.relu"}; },
       "m: there are 4 labels for 0 outputs of 'conv1.relu'"},
      {"another crop",
       [](Model& m) {
         m.preprocessing.steps = {CenterCrop{.size = {8, 9}}};
       },
       "m: preprocessing makes 3x8x9, the input 'data' wants 3x8x8"},
      {"no crop", [](Model& m) { m.preprocessing.steps = {Channels{}}; },
       "m: preprocessing makes pictures of any size, the input 'data' wants 3x8x8"},
      {"a golden input that is no picture",
       [](Model& m) {
         m.golden->input = Tensor::zeros({3, 8, 8});
       },
       "m: the golden input is 3x8x8 of F32, must be a picture of U8, height x width x 3"},
      {"golden logits of another length", [](Model& m) { m.golden->logits = Tensor::zeros({5}); },
       "m: the golden logits are 5 of F32, must be 4 of F32"},
      {"a graph that contradicts itself",
       [](Model& m) {
         std::get<Convolution>(find(m.graph, "conv1")->layer).kernel = {9, 9};
       },
       "m: layer 'conv1' (convolution)"},
  };
  for (const auto& c : kCases) EXPECT_THAT(refusal(c.change), StartsWith(c.message)) << c.what;
}

TEST(Model, ListsTwentyProblemsAndCountsTheRest) {
  const auto message = refusal([](Model& m) {
    for (int i = 0; i < 25; ++i) m.weights.emplace(fmt::format("w{}", i), Weight::of(Tensor::zeros({1})));
  });
  EXPECT_THAT(message, HasSubstr("; and 5 more"));
  EXPECT_EQ(std::count(message.begin(), message.end(), ';'), 20);
}

TEST(Model, NamesWeightsThatAreNotFinite) {
  Model model = test::small_model();
  check_finite(model.weights, "m");
  Tensor weight = Tensor::zeros({5, 3, 3, 3});
  weight.mutable_values<float>()[31] = std::nanf("");
  weight.mutable_values<float>()[130] = INFINITY;
  model.weights["conv1.weight"] = Weight::of(weight);
  model.weights["fc2.weight"] = stored(Tensor::zeros({4, 180}), Storage::int8);
  model.weights["fc2.weight"].scale.mutable_values<float>()[2] = -INFINITY;
  try {
    check_finite(model.weights, "m");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "m: 'conv1.weight' has 2 NaN or infinite elements, the first at [1, 0, 1, 1]; "
                 "'fc2.weight' has 1 NaN or infinite scales, the first at [2] (--allow-nonfinite uses them as they are)");
  }
}

TEST(Model, ScoresStandBeforeTheSoftmax) {
  Graph graph = test::small_model().graph;
  EXPECT_EQ(logits_name(graph), "fc2");
  EXPECT_EQ(class_count(graph), 4);
  graph.outputs = {"fc2"};
  EXPECT_EQ(logits_name(graph), "fc2");
  graph.outputs = {"conv1"};
  EXPECT_EQ(logits_name(graph), "conv1");
  EXPECT_EQ(class_count(graph), std::nullopt);
  graph.outputs = {"data"};
  EXPECT_EQ(logits_name(graph), "data");
}

TEST(Weights, ConvertByRankAndBySize) {
  const struct {
    Storage wanted;
    const char* weight;
    Storage found;
  } kCases[] = {
      {Storage::f16, "conv1.weight", Storage::f16},          {Storage::f16, "conv1.bias", Storage::f32},
      {Storage::f16, "bn1.variance", Storage::f32},          {Storage::int8, "fc2.weight", Storage::int8},
      {Storage::int8_sparse, "fc2.bias", Storage::f32},      {Storage::int8_sparse, "fc2.weight", Storage::int8_sparse},
      {Storage::int8_sparse, "dense.weight", Storage::int8},
  };
  Weights weights = test::small_model().weights;
  Tensor dense = Tensor::zeros({2, 16});
  for (float& value : dense.mutable_values<float>()) value = 1;
  weights["dense.weight"] = Weight::of(dense);
  for (const auto& c : kCases) {
    const auto converted = stored(weights, c.wanted);
    EXPECT_EQ(converted.size(), weights.size());
    EXPECT_EQ(name(converted.at(c.weight).storage), name(c.found)) << c.weight << " as " << name(c.wanted);
  }
}

TEST(Weights, NameTheOneThatCannotBeConverted) {
  Weights weights = test::small_model().weights;
  Tensor large = Tensor::zeros({1, 2});
  large.mutable_values<float>()[0] = 1e6f;
  weights["large.weight"] = Weight::of(large);
  try {
    stored(weights, Storage::f16);
    FAIL() << "stored";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "large.weight: 1000000 is beyond the range of F16");
  }
}

}  // namespace
}  // namespace alexnet
