#include "import/onnx.h"

#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "tests/import/imported.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::filesystem::path fixture(const std::string& name) { return test::source_path("tests/golden/import/onnx/" + name); }

// Sums of hundreds of products in f32 against float64: 1e-5 of the largest, as for whole networks.
constexpr double kTolerance = 1e-5;

std::string name_of(const testing::TestParamInfo<std::string>& info) { return info.param; }

class OnnxFixture : public testing::TestWithParam<std::string> {};

TEST_P(OnnxFixture, GivesWhatItsSourceComputes) {
  test::expect_gives(import_onnx(fixture(GetParam() + ".onnx")), fixture(GetParam() + ".npz"), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(All, OnnxFixture,
                         testing::Values("arithmetic", "dynamo", "dynamo_1d", "dynamo_dynamic", "dynamo_external", "dynamo_plain",
                                         "dynamo_torchvision", "half", "nhwc", "old_softmax", "script", "script_11",
                                         "script_batch_norm", "script_dynamic", "script_torchvision", "shared", "towers", "whole",
                                         "zoo_caffe2"),
                         name_of);

TEST(OnnxImport, RecognisesTheChainsOfBothExporters) {
  for (const auto& [name, size] : {std::pair{"dynamo", 5},
                                   {"dynamo_dynamic", 5},
                                   {"dynamo_external", 4},
                                   {"script", 5},
                                   {"script_11", 3},
                                   {"script_dynamic", 4}}) {
    SCOPED_TRACE(name);
    const auto imported = import_onnx(fixture(std::string(name) + ".onnx"));
    const Lrn wanted{.local_size = size, .alpha = 0.1, .beta = 0.75, .k = 2};
    ASSERT_NE(find(imported.model.graph, "net.2"), nullptr) << test::outline(imported.model.graph);
    EXPECT_TRUE(find(imported.model.graph, "net.2")->layer == Layer(wanted));
    EXPECT_TRUE(find(imported.model.graph, "net.6")->layer == Layer(wanted));
    EXPECT_THAT(imported.model.lrn_source, HasSubstr(R"("net.2":{"convention":"pytorch")"));
  }
}

TEST(OnnxImport, NamesLayersAsTheSourceDoes) {
  const std::string features =
      "net.0:convolution net.1:relu net.2:lrn net.3:max_pool net.4:convolution net.5:relu net.6:lrn net.7:max_pool ";
  const std::string classifier = ":flatten classifier.1:linear classifier.2:relu ";
  EXPECT_EQ(test::outline(import_onnx(fixture("dynamo.onnx")).model.graph), features + "view_4" + classifier + "linear_1:linear");
  EXPECT_EQ(test::outline(import_onnx(fixture("script_dynamic.onnx")).model.graph),
            features + "Flatten" + classifier + "scores:linear");
  EXPECT_EQ(
      test::outline(import_onnx(fixture("zoo_caffe2.onnx")).model.graph),
      "conv1:convolution conv1_2:relu norm1_1:lrn pool1_1:max_pool conv2:convolution conv2_2:relu OC2_DUMMY_0:flatten fc6:linear "
      "fc6_2:relu fc6_3:dropout fc8:linear prob_1:softmax");
}

TEST(OnnxImport, ReportsWhatBecameOfEachTensor) {
  const auto imported = import_onnx(fixture("half.onnx"));
  std::vector<std::string> rows;
  for (const auto& row : imported.tensors) {
    rows.push_back(fmt::format("{} -> {} {} {}: {}", row.source, row.ours, to_string(row.shape), name(row.type), row.done));
  }
  EXPECT_THAT(rows, ElementsAre("w16 -> conv.weight 3x2x3x3 F32: cast", "fc.weight -> y.weight 4x27 F32: transposed, times 0.5",
                                "b64 -> y.bias 4 F32: cast, times 2"));
  EXPECT_EQ(imported.format, "ONNX, operator set 13, by made by hand");
  EXPECT_THAT(import_onnx(fixture("shared.onnx")).unused, ElementsAre("stale"));
}

TEST(OnnxImport, TakesGraphsThatMixSamplesAsTheyAre) {
  const auto imported = import_onnx(fixture("whole.onnx"));
  EXPECT_THAT(imported.unbatched, UnorderedElementsAre("a", "b", "product"));
  EXPECT_THAT(imported.notes, ElementsAre("works on whole arrays: its inputs and outputs have no free batch"));
  EXPECT_TRUE(import_onnx(fixture("dynamo.onnx")).unbatched.empty());
}

// -- graphs written here --

OnnxNode node(const std::string& op, std::vector<std::string> inputs, std::vector<std::string> outputs,
              std::map<std::string, OnnxAttribute> attributes = {}) {
  return {.name = "n_" + outputs.front(),
          .op_type = op,
          .domain = "",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = std::move(attributes),
          .metadata = {}};
}

OnnxValue value(const std::string& name, std::vector<std::optional<std::int64_t>> shape) {
  return {.name = name, .element_type = 1, .shape = std::move(shape)};
}

NamedTensor zeros(const std::string& name, const Shape& shape) { return {name, Tensor::zeros(shape)}; }

NamedTensor wholes(const std::string& name, const std::vector<std::int64_t>& values) {
  return {name, Tensor::of<std::int64_t>({std::ssize(values)}, values)};
}

// From x (batch, 3, 4, 4) to y.
OnnxModel model(std::vector<OnnxNode> nodes, std::vector<NamedTensor> initializers = {}) {
  OnnxModel result{.ir_version = 8, .producer = "", .opsets = {{"", 17}}, .graph = {}};
  result.graph.nodes = std::move(nodes);
  result.graph.initializers = std::move(initializers);
  result.graph.inputs = {value("x", {std::nullopt, 3, 4, 4})};
  result.graph.outputs = {value("y", {})};
  return result;
}

std::string refusal(const OnnxModel& model, const OnnxImportOptions& options = {}) {
  try {
    import_onnx(model, options, "net.onnx");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), "net.onnx");
    return error.hint().empty() ? error.message() : fmt::format("{} ({})", error.message(), error.hint());
  }
  return "accepted";
}

TEST(OnnxImport, ListsAllUnsupportedOperatorsByNode) {
  auto foreign = node("Magic", {"b"}, {"c"});
  foreign.domain = "com.example";
  EXPECT_EQ(refusal(model({node("Sigmoid", {"x"}, {"a"}), node("Relu", {"a"}, {"b"}), foreign, node("Sigmoid", {"x"}, {"d"}),
                           node("Elu", {"d"}, {"e"}), node("Add", {"c", "e"}, {"y"})})),
            "operator Elu is not supported: node 'n_e'; operator Sigmoid is not supported: node 'n_a', node 'n_d'; "
            "operator com.example::Magic is not supported: node 'n_c'");
  auto all = model(
      {node("Sigmoid", {"x"}, {"a"}), node("Elu", {"x"}, {"b"}), node("Sigmoid", {"x"}, {"c"}), node("Add", {"a", "b"}, {"d"}),
       node("MaxPool", {"x"}, {"e"}, {{"kernel_shape", std::vector<std::int64_t>{2, 2, 2}}}), node("Sum", {"d", "c", "e"}, {"y"})});
  EXPECT_EQ(
      refusal(all),
      "operator Elu is not supported: node 'n_b'; operator Sigmoid is not supported: node 'n_a', node 'n_c'; operator Sum is not "
      "supported: node 'n_y'; node 'n_e' (MaxPool): kernel_shape has 3 values, 2 are wanted");
}

TEST(OnnxImport, RefusesGraphsThatContradictThemselves) {
  auto no_opset = model({node("Relu", {"x"}, {"y"})});
  no_opset.opsets.clear();
  auto two_inputs = model({node("Relu", {"x"}, {"y"})});
  two_inputs.graph.inputs.push_back(value("x", {1, 2}));
  auto missing_output = model({node("Relu", {"x"}, {"z"})});
  const struct {
    std::string what;
    OnnxModel model;
    std::string message;
  } cases[] = {
      {"a cycle", model({node("Add", {"x", "b"}, {"a"}), node("Relu", {"a"}, {"b"}), node("Relu", {"b"}, {"y"})}),
       "node 'n_b' (Relu) is part of a cycle"},
      {"a node that reads itself", model({node("Add", {"x", "y"}, {"y"})}), "node 'n_y' (Add) is part of a cycle"},
      {"an undefined input", model({node("Relu", {"xx"}, {"y"})}),
       "node 'n_y' (Relu) reads 'xx', which nothing makes (did you mean 'x'?)"},
      {"an undefined output", missing_output, "the graph's output reads 'y', which nothing makes"},
      {"duplicate outputs", model({node("Relu", {"x"}, {"y"}), node("Softmax", {"x"}, {"y"})}),
       "node 'n_y' (Softmax) makes 'y', but node 'n_y' (Relu) makes it too"},
      {"an output named as the input", model({node("Relu", {"x"}, {"x"}), node("Relu", {"x"}, {"y"})}),
       "node 'n_x' (Relu) makes 'x', but an input or initializer has that name"},
      {"two initializers of one name", model({node("Relu", {"x"}, {"y"})}, {zeros("w", {1}), zeros("w", {2})}),
       "has two initializers named 'w'"},
      {"two inputs of one name", two_inputs, "has two inputs named 'x'"},
      {"no operator set", no_opset, "does not say which operator set it uses"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(refusal(c.model), HasSubstr(c.message));
  }
}

TEST(OnnxImport, SaysWhatANodeDoesThatIsNotSupported) {
  const auto ints = [](std::vector<std::int64_t> values) { return OnnxAttribute(std::move(values)); };
  const NamedTensor w = zeros("w", {2, 3, 3, 3});
  const struct {
    std::string what;
    OnnxModel model;
    std::string message;
  } cases[] = {
      {"a weight from the network", model({node("Relu", {"x"}, {"r"}), node("Conv", {"x", "r"}, {"y"})}),
       "node 'n_y' (Conv): its weight 'r' is known only when the network runs"},
      {"groups that do not fit", model({node("Conv", {"x", "w"}, {"y"}, {{"group", std::int64_t{2}}})}, {w}),
       "its weight 2x3x3x3 does not fit 3 channels in 2 groups"},
      {"a bias of the wrong size", model({node("Conv", {"x", "w", "b"}, {"y"})}, {w, zeros("b", {3})}),
       "its bias is 3, 2 channels want 2"},
      {"a kernel that is not the weight's", model({node("Conv", {"x", "w"}, {"y"}, {{"kernel_shape", ints({2, 2})}})}, {w}),
       "its kernel_shape is not that of its weight, 2x3x3x3"},
      {"a stride of 0", model({node("Conv", {"x", "w"}, {"y"}, {{"strides", ints({0, 1})}})}, {w}), "strides is 0,1"},
      {"pads of another type", model({node("Conv", {"x", "w"}, {"y"}, {{"pads", std::int64_t{1}}})}, {w}),
       "the attribute 'pads' must be a list of whole numbers"},
      {"a window larger than the input", model({node("MaxPool", {"x"}, {"y"}, {{"kernel_shape", ints({9, 9})}})}),
       "the output vanishes: its window is larger than the padded input 4x4"},
      {"places of maxima",
       model({node("MaxPool", {"x"}, {"m", "i"}, {{"kernel_shape", ints({2, 2})}}), node("Add", {"m", "i"}, {"y"})}),
       "node 'n_m' (MaxPool): its output 'i' is not supported, only its first"},
      {"statistics of the batch",
       model({node("BatchNormalization", {"x", "s", "s", "s", "s"}, {"y"}, {{"training_mode", std::int64_t{1}}})},
             {zeros("s", {3})}),
       "computes statistics of its batch (training_mode)"},
      {"statistics of another size", model({node("BatchNormalization", {"x", "s", "s", "s", "s"}, {"y"})}, {zeros("s", {4})}),
       "its scale is 4, 3 channels want 3"},
      {"a pad by reflection",
       model({node("Pad", {"x", "p"}, {"y"}, {{"mode", std::string("reflect")}})}, {wholes("p", {0, 0, 1, 1, 0, 0, 1, 1})}),
       "pads in the mode 'reflect', only constant is supported"},
      {"a constant for each pixel", model({node("Add", {"x", "c"}, {"y"})}, {zeros("c", {4, 4})}),
       "combines a constant of shape 4x4 with batchx3x4x4: only one number, or one a channel, is supported"},
      {"a reshape across samples", model({node("Reshape", {"x", "s"}, {"y"})}, {wholes("s", {-1, 24})}),
       "node 'n_y' (Reshape): makes -1x24 of batchx3x4x4, which mixes the samples of a batch"},
      {"a reshape that does not fit", model({node("Reshape", {"x", "s"}, {"y"})}, {wholes("s", {0, 50})}),
       "can't make 0x50 of batchx3x4x4"},
      {"an If on data", model({node("If", {"x"}, {"y"})}),
       "node 'n_y' (If) has a condition that is known only when the network runs"},
      {"a Gather of data", model({node("Gather", {"x", "i"}, {"y"}, {{"axis", std::int64_t{1}}})}, {wholes("i", {0, 1})}),
       "node 'n_y' (Gather): is supported only on constants"},
      {"a cast to whole numbers", model({node("Cast", {"x"}, {"y"}, {{"to", std::int64_t{7}}})}),
       "casts values of the network to INT64"},
      {"a constant output", model({node("ConstantOfShape", {"s"}, {"y"})}, {wholes("s", {2, 2})}), "output 'y' is a constant"},
      {"a bomb of constants",
       model({node("ConstantOfShape", {"s"}, {"c"}), node("Reshape", {"x", "c"}, {"y"})}, {wholes("s", {1 << 20, 1 << 20})}),
       "makes larger constants than a network of this size needs"},
      {"a mean over channels", model({node("ReduceMean", {"x"}, {"y"}, {{"axes", ints({1})}})}),
       "is supported over both spatial axes"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(refusal(c.model), HasSubstr(c.message));
  }
}

TEST(OnnxImport, RefusesParametersThatAreLargeOnlyByBeingRepeated) {
  const OnnxModel cases[] = {
      model({node("Mul", {"x", "c"}, {"y"})}, {zeros("c", {1})}),
      model({node("Relu", {"x"}, {"r"}), node("Sub", {"x", "r"}, {"y"})}),
      model({node("GroupNormalization", {"x", "c", "c"}, {"y"}, {{"num_groups", std::int64_t{1}}})}, {zeros("c", {1})}),
  };
  for (OnnxModel huge : cases) {
    SCOPED_TRACE(huge.graph.nodes.back().op_type);
    huge.graph.inputs = {value("x", {1, 64, 4, 4})};
    EXPECT_EQ(refusal(huge), "accepted");
    huge.graph.inputs = {value("x", {std::int64_t{1} << 30, std::int64_t{1} << 28, 1, 1})};
    EXPECT_THAT(refusal(huge), HasSubstr("makes larger constants than a network of this size needs"));
  }
}

TEST(OnnxImport, TakesParametersFromGivenInputs) {
  auto conv = model({node("Conv", {"x", "w"}, {"y"})});
  conv.graph.inputs.push_back(value("w", {2, 3, 3, 3}));
  EXPECT_EQ(refusal(conv), "input 'w' is a parameter of node 'n_y' (Conv) and must be known beforehand");
  const auto imported =
      import_onnx(conv, {.values = {{"w", Tensor::zeros({2, 3, 3, 3})}, {"x", Tensor::zeros({1, 3, 4, 4})}}}, "net.onnx");
  EXPECT_THAT(imported.bound, ElementsAre("w"));
  EXPECT_EQ(imported.model.graph.inputs.size(), 1u);
  EXPECT_EQ(imported.tensors.at(0).done, "given as an input");
}

TEST(OnnxImport, LetsGivenValuesSettleOpenExtents) {
  auto open = model({node("Relu", {"x"}, {"y"})});
  open.graph.inputs = {value("x", {std::nullopt, 3, std::nullopt, std::nullopt})};
  EXPECT_EQ(refusal(open), "input 'x' leaves the extent of axis 2 open");
  EXPECT_EQ(import_onnx(open, {.values = {{"x", Tensor::zeros({2, 3, 5, 6})}}}, "net.onnx").model.graph.inputs[0].shape,
            (Shape{3, 5, 6}));
  EXPECT_EQ(refusal(open, {.values = {{"x", Tensor::zeros({2, 3})}}}),
            "input 'x' has 4 axes, what is given for it has the shape 2x3");
}

TEST(OnnxImport, DecidesConditionsThatAreKnown) {
  for (const bool truth : {false, true}) {
    auto branch = [&](const std::string& op) {
      OnnxGraph graph;
      graph.nodes = {node(op, {"x"}, {"inner"})};
      graph.outputs = {value("inner", {})};
      return OnnxAttribute(std::make_shared<const OnnxGraph>(std::move(graph)));
    };
    Tensor condition = Tensor::allocate(ElementType::boolean, {});
    condition.mutable_bytes()[0] = std::byte{truth};
    // Two conditions whose branches use the same names inside.
    const auto imported =
        import_onnx(model({node("If", {"c"}, {"a"}, {{"then_branch", branch("Relu")}, {"else_branch", branch("GlobalMaxPool")}}),
                           node("If", {"c"}, {"b"}, {{"then_branch", branch("GlobalMaxPool")}, {"else_branch", branch("Relu")}}),
                           node("Add", {"a", "b"}, {"y"})},
                          {{"c", condition}}),
                    {}, "net.onnx");
    EXPECT_EQ(test::outline(imported.model.graph),
              truth ? "a/inner:relu b/inner:max_pool y:add" : "a/inner:max_pool b/inner:relu y:add");
  }
}

TEST(OnnxImport, RunsRealLrnNodesByOnnxsConvention) {
  const auto imported =
      import_onnx(model({node("LRN", {"x"}, {"y"}, {{"size", std::int64_t{4}}, {"alpha", 2e-4f}})}), {}, "net.onnx");
  EXPECT_TRUE(imported.model.graph.nodes[0].layer == Layer(Lrn{.local_size = 4, .alpha = 2e-4, .even_window = EvenWindow::after}));
  EXPECT_THAT(imported.model.lrn_source, HasSubstr(R"({"convention":"onnx","size":4,"alpha":0.0002)"));
}

TEST(OnnxImport, WarnsOfNewOperatorSetsAndUntrainedWeights) {
  auto newer = model({node("Conv", {"x", "w"}, {"y"})}, {zeros("w", {2, 3, 3, 3})});
  newer.opsets[""] = 99;
  EXPECT_THAT(import_onnx(newer, {}, "net.onnx").warnings,
              ElementsAre("operator set 99 is newer than 28, the newest that was tested", "all weights of layer 'y' are 0"));
}

}  // namespace
}  // namespace alexnet
