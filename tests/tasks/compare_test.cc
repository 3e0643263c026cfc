// What PyTorch computed for reduced networks (tools/make_compare_golden.py) against this engine.
#include "tasks/compare.h"

#include "alexnet/error.h"
#include "formats/npz.h"
#include "model/architecture.h"
#include "tests/runtime/generated.h"
#include "tests/support.h"

namespace alexnet {
namespace {

Model reduced_model(const std::string& name) {
  const Architecture known = read_architecture(test::source_path("tests/golden/compare/" + name + ".json"));
  Model model = test::generated_model(known.graph);
  model.preprocessing = known.preprocessing;
  return model;
}

std::filesystem::path golden(const std::string& file) { return test::source_path("tests/golden/compare/" + file + ".npz"); }

Comparison compared(const Model& model, const std::filesystem::path& dump, Precision precision = Precision::f32) {
  const ReferenceDump reference(dump, model.graph);
  return compare(model, reference, {.compile = {.threads = 1, .precision = precision}});
}

std::vector<std::string> past(const Comparison& comparison, bool (LayerComparison::*agrees)() const) {
  std::vector<std::string> names;
  for (const auto& row : comparison.layers) {
    if (!(row.*agrees)()) names.push_back(row.layer);
  }
  return names;
}

class Architectures : public testing::TestWithParam<std::string> {};

TEST_P(Architectures, AgreeWithPyTorchInBothItsTypes) {
  const Model model = reduced_model(GetParam());
  for (const std::string type : {"f32", "f64"}) {
    const auto comparison = compared(model, golden(GetParam() + "_" + type));
    EXPECT_TRUE(comparison.agrees());
    for (const auto& row : comparison.layers) {
      SCOPED_TRACE(type + " " + row.layer);
      ASSERT_TRUE(row.cumulative && row.isolated);
      EXPECT_LE(row.cumulative->difference.relative, row.cumulative->allowed);
      EXPECT_LE(row.isolated->difference.relative, row.isolated->allowed);
      // Tight enough to see a mistake in the fifth digit.
      EXPECT_LT(row.cumulative->allowed, 5e-5);
      EXPECT_LT(row.isolated->allowed, 2e-5);
      EXPECT_GT(row.cumulative->difference.cosine, 1 - 1e-9);
    }
    EXPECT_EQ(comparison.reference_type, type == "f32" ? "F32" : "F64");
    EXPECT_EQ(comparison.scores, "fc8");
    EXPECT_EQ(comparison.same_first(), comparison.pictures);
    EXPECT_EQ(comparison.same_set(), comparison.pictures);
  }
}

// A weight that is off by one part in ten thousand shows in its own layer alone when each is fed the reference's values.
TEST_P(Architectures, ShowTheGuiltyLayerAlone) {
  const Model model = reduced_model(GetParam());
  for (const auto& parameter : parameters(model.graph)) {
    if (!parameter.name.ends_with(".weight")) continue;
    SCOPED_TRACE(parameter.name);
    Model planted = model;
    Tensor weight = Tensor::zeros(parameter.shape);
    std::ranges::transform(model.weights.at(parameter.name).data.values<float>(), weight.mutable_values<float>().begin(),
                           [](float value) { return value * 1.0001f; });
    planted.weights[parameter.name] = Weight::of(weight);
    const auto comparison = compared(planted, golden(GetParam() + "_f64"));
    EXPECT_EQ(past(comparison, &LayerComparison::isolated_agrees), std::vector<std::string>{parameter.layer});
    ASSERT_NE(comparison.first_cumulative(), nullptr);
    EXPECT_EQ(comparison.first_cumulative()->layer, parameter.layer);
    EXPECT_FALSE(comparison.agrees());
  }
}

INSTANTIATE_TEST_SUITE_P(Compare, Architectures, testing::ValuesIn(architecture_names()),
                         [](const auto& test) { return test.param; });

TEST(Compare, JudgesPreprocessingWhereTheDumpHasPictures) {
  Model model = reduced_model("paper");
  auto comparison = compared(model, golden("paper_f32"));
  ASSERT_EQ(comparison.layers.front().kind, "preprocessing");
  EXPECT_EQ(comparison.layers.front().layer, "data");
  EXPECT_EQ(comparison.layers.front().isolated->difference.largest, 0);
  EXPECT_EQ(comparison.pictures, 2);
  EXPECT_EQ(comparison.tops[1].name, "second.png");

  std::get<Resize>(model.preprocessing.steps[0]).antialias = false;
  std::get<Resize>(model.preprocessing.steps[0]).shorter = 70;
  comparison = compared(model, golden("paper_f32"));
  EXPECT_EQ(past(comparison, &LayerComparison::isolated_agrees), std::vector<std::string>{"data"});
  EXPECT_EQ(past(comparison, &LayerComparison::cumulative_agrees), std::vector<std::string>{"data"})
      << "the network reads the dump's";
}

TEST(Compare, SaysWhereTheLargestErrorStands) {
  DifferenceSum sum({2, 3});
  const std::vector<float> found{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10};
  const Tensor first = Tensor::of<double>({1, 2, 3}, std::vector<double>{0, 1, 2, 3, 4, 5});
  const Tensor second = Tensor::of<double>({1, 2, 3}, std::vector<double>{6, 7, 8, 9, 14, 10});
  sum.add(std::span(found).first(6), first);
  sum.add(std::span(found).last(6), second);
  const Difference difference = sum.difference();
  EXPECT_EQ(difference.largest, 4);
  EXPECT_DOUBLE_EQ(difference.mean, 4.0 / 12);
  EXPECT_DOUBLE_EQ(difference.relative, 4.0 / 14);
  EXPECT_EQ(difference.position, (std::vector<std::int64_t>{1, 1, 1}));
  EXPECT_EQ(difference.found, 10);
  EXPECT_EQ(difference.wanted, 14);
}

TEST(Compare, CountsWhatIsNotFiniteAsEqualToItsLikeAlone) {
  const auto relative = [](float found, float wanted) {
    DifferenceSum sum({2});
    sum.add(std::vector<float>{1, found}, Tensor::of<float>({1, 2}, std::vector<float>{1, wanted}));
    return sum.difference().relative;
  };
  EXPECT_EQ(relative(NAN, NAN), 0);
  EXPECT_EQ(relative(INFINITY, INFINITY), 0);
  EXPECT_EQ(relative(NAN, 1), INFINITY);
  EXPECT_EQ(relative(1, NAN), INFINITY);
  EXPECT_EQ(relative(INFINITY, -INFINITY), INFINITY);
}

class Dumps : public testing::Test {
 protected:
  // The arrays of a golden dump, after a change.
  std::filesystem::path changed(const std::function<void(std::vector<NamedTensor>&)>& change) const {
    auto arrays = read_npz(golden("torchvision_f32"));
    change(arrays);
    const auto path = folder_.path() / "dump.npz";
    write_npz(path, arrays);
    return path;
  }
  static Tensor& array(std::vector<NamedTensor>& arrays, const std::string& name) {
    return std::ranges::find(arrays, name, &NamedTensor::name)->tensor;
  }

  test::TemporaryFolder folder_;
};

TEST_F(Dumps, MayHoldSomeLayersAndOthersThatTheModelLacks) {
  const auto path = changed([](auto& arrays) {
    std::erase_if(arrays, [](const auto& a) { return a.name != "data" && a.name != "conv3" && a.name != "prob"; });
    arrays.push_back({"conv33", Tensor::zeros({1, 2})});
    arrays.push_back({"something", Tensor::zeros({7})});
  });
  const auto comparison = compared(reduced_model("torchvision"), path);
  EXPECT_TRUE(comparison.agrees());
  ASSERT_EQ(comparison.layers.size(), 2u);
  EXPECT_EQ(comparison.layers[0].layer, "conv3");
  EXPECT_EQ(comparison.scores, "prob");
  ASSERT_EQ(comparison.unknown.size(), 2u);
  EXPECT_EQ(comparison.unknown[0].name, "conv33");
  EXPECT_EQ(comparison.unknown[0].nearest, "conv3");
  EXPECT_EQ(comparison.unknown[1].nearest, std::nullopt);
  EXPECT_THAT(comparison.missing, testing::Contains("fc8"));
}

TEST_F(Dumps, OfAnotherShapeAreNamedAndDoNotAgree) {
  const auto path = changed([](auto& arrays) { array(arrays, "conv2") = Tensor::zeros({1, 12, 7, 8}); });
  const auto comparison = compared(reduced_model("torchvision"), path);
  EXPECT_THAT(past(comparison, &LayerComparison::isolated_agrees), testing::ElementsAre("conv2", "conv3"));
  EXPECT_EQ(comparison.layers[1].problem, "the reference has 12x7x8 a picture, the model 12x7x7");
  EXPECT_EQ(comparison.layers[2].problem, "reads conv2, of which the reference has another shape");
}

TEST_F(Dumps, ThatCantBeUsedSayWhy) {
  struct Case {
    std::string message;
    std::function<void(std::vector<NamedTensor>&)> change;
  };
  const auto path = (folder_.path() / "dump.npz").string();
  for (const auto& [message, change] : {
           Case{"has no array 'data', the network's input (docs/reference-dump.md says what a dump holds)",
                [](auto& arrays) { std::erase_if(arrays, [](const auto& a) { return a.name == "data"; }); }},
           Case{"has no array that is named like a layer of the network (is 'conv11' meant to be conv1?)",
                [](auto& arrays) {
                  std::erase_if(arrays, [](const auto& a) { return a.name != "data"; });
                  arrays.push_back({"conv11", Tensor::zeros({1, 2})});
                }},
           Case{"array 'fc8' has 2 pictures, 'data' has 1",
                [](auto& arrays) {
                  array(arrays, "fc8") = Tensor::zeros({2, 20});
                }},
           Case{"array 'fc8' is I8, must be F16, F32 or F64",
                [](auto& arrays) {
                  array(arrays, "fc8") = Tensor::allocate(ElementType::i8, {1, 20});
                }},
           Case{"array 'fc8' is a single number, must have a row a picture",
                [](auto& arrays) { array(arrays, "fc8") = Tensor::zeros({}); }},
           Case{"'data' is 3x64x63 a picture, the network takes 3x63x63 (is it the dump of another network?)",
                [](auto& arrays) {
                  array(arrays, "data") = Tensor::zeros({1, 3, 64, 63});
                }},
           Case{"has 1 arrays images/... for 1 pictures (images/0, images/1 ...: all or none)",
                [](auto& arrays) {
                  arrays.push_back({"images/1", Tensor::allocate(ElementType::u8, {2, 2, 3})});
                }},
           Case{"array 'images/0' is 2x2x4 of U8, must be U8 of height x width x 3, or the bytes of a file",
                [](auto& arrays) {
                  arrays.push_back({"images/0", Tensor::allocate(ElementType::u8, {2, 2, 4})});
                }},
       }) {
    changed(change);
    try {
      const Model model = reduced_model("torchvision");
      ReferenceDump(path, model.graph);
      ADD_FAILURE() << "accepted: " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.what(), path + ": " + message);
      EXPECT_EQ(error.kind(), ErrorKind::model);
    }
  }
}

}  // namespace
}  // namespace alexnet
