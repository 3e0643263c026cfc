#include "model/architecture.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "model/model.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::int64_t parameter_count(const Graph& graph) {
  std::int64_t count = 0;
  for (const auto& parameter : parameters(graph)) count += parameter.shape.elements();
  return count;
}

std::vector<std::string> order_of(const Graph& graph, std::initializer_list<const char*> names) {
  std::vector<std::string> result;
  for (const auto& node : graph.nodes) {
    if (std::ranges::find(names, node.name) != names.end()) result.push_back(node.name);
  }
  return result;
}

TEST(Architecture, KnowsThemByName) {
  EXPECT_THAT(architecture_names(), ElementsAre("paper", "bvlc", "caffenet", "torchvision", "krizhevsky2012"));
  for (const auto& name : architecture_names()) {
    const auto found = architecture(name);
    EXPECT_EQ(found.name, name);
    EXPECT_FALSE(found.origin.empty()) << name;
    EXPECT_EQ(output_shape(found.preprocessing), found.graph.inputs.front().shape) << name;
  }
  try {
    architecture("torchvison");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(), "there is no architecture 'torchvison' (known: paper, bvlc, caffenet, torchvision, krizhevsky2012)");
  }
}

// Parameter counts: torchvision's from its documentation; the others summed by hand from the layers' published shapes.
TEST(Architecture, HasThePublishedShapes) {
  const struct {
    const char* name;
    std::int64_t parameters;
    Shape conv1;
    Shape pool1;
    Shape conv2_weight;
    Shape flat;
  } kCases[] = {
      {"paper", 62'378'344, {1, 96, 55, 55}, {1, 96, 27, 27}, {256, 96, 5, 5}, {1, 9216}},
      {"bvlc", 60'965'224, {1, 96, 55, 55}, {1, 96, 27, 27}, {256, 48, 5, 5}, {1, 9216}},
      {"caffenet", 60'965'224, {1, 96, 55, 55}, {1, 96, 27, 27}, {256, 48, 5, 5}, {1, 9216}},
      {"torchvision", 61'100'840, {1, 64, 55, 55}, {1, 64, 27, 27}, {192, 64, 5, 5}, {1, 9216}},
  };
  for (const auto& c : kCases) {
    const Graph graph = architecture(c.name).graph;
    const auto shapes = infer_shapes(graph, 1);
    EXPECT_EQ(parameter_count(graph), c.parameters) << c.name;
    EXPECT_EQ(shapes.at("conv1"), c.conv1) << c.name;
    EXPECT_EQ(shapes.at("pool1"), c.pool1) << c.name;
    EXPECT_EQ(shapes.at("flatten"), c.flat) << c.name;
    EXPECT_EQ(shapes.at("prob"), (Shape{1, 1000})) << c.name;
    const auto all = parameters(graph);
    EXPECT_EQ(std::ranges::find(all, "conv2.weight", &NamedParameter::name)->shape, c.conv2_weight) << c.name;
  }
}

TEST(Architecture, DiffersWhereTheNetworksDiffer) {
  const auto norm = [](const char* name) { return std::get<Lrn>(find(architecture(name).graph, "norm1")->layer); };
  EXPECT_EQ(norm("paper"), (Lrn{.local_size = 5, .alpha = 1e-4, .beta = 0.75, .k = 2}));
  EXPECT_EQ(norm("bvlc"), (Lrn{.local_size = 5, .alpha = 1e-4, .beta = 0.75, .k = 1}));
  EXPECT_EQ(norm("caffenet"), norm("bvlc"));
  EXPECT_EQ(find(architecture("torchvision").graph, "norm1"), nullptr);
  EXPECT_THAT(order_of(architecture("bvlc").graph, {"norm1", "pool1", "norm2", "pool2"}),
              ElementsAre("norm1", "pool1", "norm2", "pool2"));
  EXPECT_THAT(order_of(architecture("caffenet").graph, {"norm1", "pool1", "norm2", "pool2"}),
              ElementsAre("pool1", "norm1", "pool2", "norm2"));
  // Dropout stands before a linear layer in PyTorch's networks and after its ReLU in Caffe's.
  EXPECT_THAT(order_of(architecture("paper").graph, {"drop6", "fc6"}), ElementsAre("drop6", "fc6"));
  EXPECT_THAT(order_of(architecture("bvlc").graph, {"drop6", "fc6"}), ElementsAre("fc6", "drop6"));
  const auto rounding = [](const char* name) { return std::get<MaxPool>(find(architecture(name).graph, "pool5")->layer).rounding; };
  EXPECT_EQ(rounding("caffenet"), Rounding::ceil);
  EXPECT_EQ(rounding("torchvision"), Rounding::floor);
}

TEST(Architecture, TakesAnyNumberOfClasses) {
  for (const auto& name : architecture_names()) {
    const Graph graph = with_classes(architecture(name).graph, 7);
    EXPECT_EQ(class_count(graph), 7) << name;
    EXPECT_EQ(parameter_count(graph), parameter_count(architecture(name).graph) - 993 * 4097) << name;
  }
  EXPECT_THROW(with_classes(architecture("paper").graph, 0), Error);
  Graph headless = architecture("paper").graph;
  headless.outputs = {"pool5"};
  try {
    with_classes(headless, 7);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "layer 'pool5': makes the scores, but its kind has no number of outputs to set");
  }
}

TEST(Architecture, FilesInModelsAreTheEmbeddedOnes) {
  for (const auto& name : architecture_names()) {
    const auto from_file = read_architecture(test::source_path("models/" + name + ".json"));
    EXPECT_EQ(from_file.graph, architecture(name).graph) << name;
    EXPECT_EQ(from_file.preprocessing, architecture(name).preprocessing) << name;
  }
}

TEST(Architecture, RefusesBrokenFilesByPlace) {
  const test::TemporaryFolder folder;
  const std::string graph =
      R"({"inputs": [{"name": "data", "shape": [3]}], "layers": [{"name": "r", "kind": "relu", "inputs": ["data"]}],
                                "outputs": ["r"]})";
  const struct {
    const char* what;
    std::string text;
    const char* message;
  } kCases[] = {
      {"no JSON", "{", "a.json: is not valid JSON"},
      {"a list", "[]", "a.json: must be a JSON object"},
      {"an unknown key", R"({"name": "a", "Graph": {}})", "a.json: has the unknown key 'Graph'"},
      {"no graph", R"({"name": "a", "origin": [], "preprocess": []})", "a.json: has no 'graph'"},
      {"a name that is a number", R"({"name": 1, "origin": [], "preprocess": [], "graph": {}})", "a.json: 'name' must be text"},
      {"an origin that is text", R"({"name": "a", "origin": "b", "preprocess": [], "graph": {}})",
       "a.json: 'origin' must be a list of sentences"},
      {"an unknown layer kind",
       R"({"name": "a", "origin": [], "preprocess": [], "graph": {"inputs": [{"name": "d", "shape": [3]}],
           "layers": [{"name": "r", "kind": "relo", "inputs": ["d"]}], "outputs": ["r"]}})",
       "a.json: layer 'r': unknown layer kind 'relo' (did you mean 'relu'?)"},
      {"an unknown step", R"({"name": "a", "origin": [], "preprocess": [{"step": "sharpen"}], "graph": )" + graph + "}",
       "a.json: preprocess"},
  };
  for (const auto& c : kCases) {
    try {
      read_architecture(folder.write("a.json", c.text));
      ADD_FAILURE() << "accepted " << c.what;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model) << c.what;
      EXPECT_THAT(error.what(), HasSubstr(c.message)) << c.what;
    }
  }
}

}  // namespace
}  // namespace alexnet
