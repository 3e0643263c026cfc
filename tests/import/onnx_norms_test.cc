// InstanceNormalization, GroupNormalization and LayerNormalization, as PyTorch's exporters and others write them.
#include "alexnet/error.h"
#include "import/onnx.h"
#include "tests/import/imported.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Imported fixture(const std::string& name) { return import_onnx(test::source_path("tests/golden/import/onnx/" + name + ".onnx")); }

class OnnxNorms : public testing::TestWithParam<std::string> {};

// f32 against float64 (or onnxruntime's f32): 1e-5 of the largest, as for whole networks.
TEST_P(OnnxNorms, GiveWhatTheirSourceComputes) {
  test::expect_gives(fixture(GetParam()), test::source_path("tests/golden/import/onnx/" + GetParam() + ".npz"), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, OnnxNorms, testing::Values("dynamo_norms", "script_norms", "group_norm", "layer_norm"),
                         [](const auto& test) { return test.param; });

TEST(OnnxNorm, BecomesTheLayerOfItsName) {
  const Graph group = fixture("group_norm").model.graph;
  EXPECT_TRUE(group.nodes.at(0).layer == Layer(GroupNorm{.groups = 3, .epsilon = 1e-3}));
  const Graph layers = fixture("layer_norm").model.graph;
  EXPECT_EQ(test::outline(layers), "instance:instance_norm last:layer_norm y:layer_norm");
  EXPECT_TRUE(layers.nodes.at(1).layer == Layer(LayerNorm{.axis = 2, .epsilon = 1e-2, .offset = false}));
  EXPECT_TRUE(layers.nodes.at(2).layer == Layer(LayerNorm{.axis = 1}));
}

// y = OP(x, s, b) of x (batch, 6, 4, 4) with parameters of these shapes.
OnnxModel model(const std::string& op, std::map<std::string, OnnxAttribute> attributes, const Shape& scale,
                const std::optional<Shape>& bias, std::int64_t opset = 21) {
  OnnxModel result{.ir_version = 10, .producer = "", .opsets = {{"", opset}}, .graph = {}};
  OnnxNode node{.name = "n",
                .op_type = op,
                .domain = "",
                .inputs = {"x", "s"},
                .outputs = {"y"},
                .attributes = std::move(attributes),
                .metadata = {}};
  Tensor values = Tensor::zeros(scale);
  for (std::size_t i = 0; i < values.values<float>().size(); ++i) values.mutable_values<float>()[i] = static_cast<float>(i + 1);
  result.graph.initializers.push_back({"s", values});
  if (bias) {
    node.inputs.emplace_back("b");
    result.graph.initializers.push_back({"b", Tensor::zeros(*bias)});
  }
  result.graph.nodes = {node};
  result.graph.inputs = {{.name = "x", .element_type = 1, .shape = {{std::nullopt, 6, 4, 4}}}};
  result.graph.outputs = {{.name = "y", .element_type = 1, .shape = std::nullopt}};
  return result;
}

TEST(OnnxNorm, RepeatsWhatOldGroupNormalizationHasOnceAGroup) {
  const auto imported =
      import_onnx(model("GroupNormalization", {{"num_groups", std::int64_t{3}}}, {3}, Shape{3}, 18), {}, "net.onnx");
  EXPECT_THAT(imported.model.weights.at("y.scale").data.values<float>(), ElementsAre(1, 1, 2, 2, 3, 3));
  EXPECT_EQ(imported.tensors.at(0).done, "repeated in each group");
}

TEST(OnnxNorm, SaysWhatIsNotSupported) {
  const std::int64_t zero = 0;
  const struct {
    std::string what;
    OnnxModel model;
    std::string message;
  } cases[] = {
      {"no bias", model("InstanceNormalization", {}, {6}, std::nullopt), "node 'n' (InstanceNormalization): has no bias"},
      {"a scale for each pixel", model("InstanceNormalization", {}, {6, 4, 4}, Shape{6}), "its scale is 6x4x4, 6 channels want 6"},
      {"statistics of the batch", model("LayerNormalization", {{"axis", zero}}, {6, 4, 4}, std::nullopt),
       "computes statistics of its batch"},
      {"a scale of other axes", model("LayerNormalization", {{"axis", std::int64_t{-2}}}, {4}, std::nullopt),
       "its scale is 4, normalising batchx6x4x4 from axis 2 on wants 4x4"},
      {"no groups", model("GroupNormalization", {}, {6}, Shape{6}), "0 groups do not divide 6 channels"},
      {"groups that do not fit", model("GroupNormalization", {{"num_groups", std::int64_t{4}}}, {6}, Shape{6}),
       "4 groups do not divide 6 channels"},
      {"one scale a group where there must be one a channel",
       model("GroupNormalization", {{"num_groups", std::int64_t{3}}}, {3}, Shape{3}), "its scale is 3, 6 channels want 6"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    try {
      import_onnx(c.model, {}, "net.onnx");
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      EXPECT_THAT(error.message(), HasSubstr(c.message));
    }
  }
}

}  // namespace
}  // namespace alexnet
