#include "graph/graph.h"

#include <nlohmann/json.hpp>

#include "alexnet/error.h"

namespace alexnet::test {
namespace {

using testing::ElementsAre;

std::string refused(const auto& action) {
  try {
    action();
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.what();
  }
}

Graph small() {
  return {{{"data", {3, 8, 8}}},
          {{"conv1", Convolution{.out_channels = 4, .kernel = {3, 3}}, {"data"}},
           {"relu1", Relu{}, {"conv1"}},
           {"flatten", Flatten{}, {"relu1"}},
           {"fc", Linear{.out_features = 5}, {"flatten"}}},
          {"fc"}};
}

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> result;
  for (const auto& node : graph.nodes) result.push_back(node.name);
  return result;
}

TEST(Graph, StandsInTheOrderOfItsEdges) {
  Graph graph = small();
  std::ranges::reverse(graph.nodes);
  EXPECT_THAT(names(checked(graph)), ElementsAre("conv1", "relu1", "flatten", "fc"));
  EXPECT_TRUE(checked(small()) == small());
}

TEST(Graph, KeepsTheGivenOrderOfWhatDoesNotDepend) {
  const Graph graph{{{"data", {3}}}, {{"b", Relu{}, {"data"}}, {"c", Relu{}, {"a"}}, {"a", Relu{}, {"data"}}}, {"c"}};
  EXPECT_THAT(names(checked(graph)), ElementsAre("b", "a", "c"));
}

TEST(Graph, FindsNodesAndTheirReaders) {
  Graph graph = small();
  graph.nodes.push_back({"norm", Lrn{}, {"conv1"}});
  ASSERT_NE(find(graph, "relu1"), nullptr);
  EXPECT_EQ(find(graph, "relu1")->name, "relu1");
  EXPECT_EQ(find(graph, "data"), nullptr);
  const auto readers = consumers(graph, "conv1");
  ASSERT_EQ(readers.size(), 2u);
  EXPECT_EQ(readers[0]->name, "relu1");
  EXPECT_EQ(readers[1]->name, "norm");
  EXPECT_TRUE(consumers(graph, "fc").empty());
}

TEST(Graph, InfersShapesForAnyBatch) {
  const auto shapes = infer_shapes(small(), 7);
  EXPECT_EQ(shapes.at("data"), (Shape{7, 3, 8, 8}));
  EXPECT_EQ(shapes.at("conv1"), (Shape{7, 4, 6, 6}));
  EXPECT_EQ(shapes.at("flatten"), (Shape{7, 144}));
  EXPECT_EQ(shapes.at("fc"), (Shape{7, 5}));
}

TEST(Graph, ListsParametersByFullName) {
  std::vector<std::string> found;
  for (const auto& [name, layer, shape] : parameters(small())) found.push_back(name + ' ' + layer + ' ' + to_string(shape));
  EXPECT_THAT(found, ElementsAre("conv1.weight conv1 4x3x3x3", "conv1.bias conv1 4", "fc.weight fc 5x144", "fc.bias fc 5"));
}

TEST(Graph, RefusesWhatIsNoGraph) {
  struct Case {
    const char* message;
    void (*spoil)(Graph&);
  };
  for (const auto& [message, spoil] : {
           Case{"graph: has no input", [](Graph& g) { g.inputs.clear(); }},
           Case{"graph: has no output", [](Graph& g) { g.outputs.clear(); }},
           Case{"graph: an input has no name", [](Graph& g) { g.inputs[0].name = ""; }},
           Case{"graph: a layer has no name", [](Graph& g) { g.nodes[1].name = ""; }},
           Case{"graph: the name 'conv1' is used twice", [](Graph& g) { g.nodes[1].name = "conv1"; }},
           Case{"graph: the name 'data' is used twice", [](Graph& g) { g.nodes[1].name = "data"; }},
           Case{"layer 'relu1': reads 'conv', which no layer makes (did you mean 'conv1'?)",
                [](Graph& g) { g.nodes[1].inputs = {"conv"}; }},
           Case{"layer 'relu1': reads 'photograph', which no layer makes", [](Graph& g) { g.nodes[1].inputs = {"photograph"}; }},
           Case{"graph output: reads 'prob', which no layer makes", [](Graph& g) { g.outputs = {"prob"}; }},
           Case{"layer 'relu1': relu takes 1 input, found 0", [](Graph& g) { g.nodes[1].inputs = {}; }},
           Case{"layer 'relu1': relu takes 1 input, found 2",
                [](Graph& g) {
                  g.nodes[1].inputs = {"data", "conv1"};
                }},
           Case{"layer 'relu1': is part of a cycle: 'relu1' reads 'relu1'", [](Graph& g) { g.nodes[1].inputs = {"relu1"}; }},
           Case{"layer 'fc': is part of a cycle: 'fc' reads 'flatten' reads 'relu1' reads 'fc'",
                [](Graph& g) {
                  g.nodes[1].inputs = {"fc"};
                  std::swap(g.nodes[1], g.nodes[3]);
                }},
           // The first layer that waits is not on the cycle itself.
           Case{"layer 'flatten': is part of a cycle: 'flatten' reads 'relu1' reads 'flatten'",
                [](Graph& g) {
                  g.nodes[1].inputs = {"flatten"};
                  std::swap(g.nodes[1], g.nodes[3]);
                }},
           Case{"layer 'a\\x0ab': reads 'no\\x1b', which no layer makes",
                [](Graph& g) {
                  g.nodes[1] = {"a\nb", Relu{}, {"no\x1b"}};
                }},
           Case{"graph: has 2001 layers, more than 2000",
                [](Graph& g) {
                  g.nodes.resize(2001, {"x", Relu{}, {"data"}});
                }},
       }) {
    Graph graph = small();
    spoil(graph);
    EXPECT_EQ(refused([&] { checked(graph); }), message);
  }
}

TEST(Graph, NamesBothLayersAndBothShapesWhereTheyDoNotConnect) {
  struct Case {
    const char* message;
    void (*spoil)(Graph&);
  };
  for (const auto& [message, spoil] : {
           Case{"layer 'fc' (linear) after 'relu1' (1x4x6x6): wants an input of shape NxC, found 1x4x6x6",
                [](Graph& g) { g.nodes[3].inputs = {"relu1"}; }},
           Case{"layer 'conv1' (convolution) after 'data' (1x192): wants an input of shape NxCxHxW, found 1x192",
                [](Graph& g) { g.inputs[0].shape = {192}; }},
           Case{"layer 'conv1' (convolution) after 'data' (1x3x8x8): 2 groups do not divide 3 input and 4 output channels",
                [](Graph& g) { std::get<Convolution>(g.nodes[0].layer).groups = 2; }},
           Case{"layer 'conv1' (convolution) after 'data' (1x3x8x8): stride is -4, must be at least 1",
                [](Graph& g) {
                  std::get<Convolution>(g.nodes[0].layer).stride = {-4, -4};
                }},
           Case{"layer 'conv1' (convolution) after 'data' (1x3x8x8): kernel is 0, must be at least 1",
                [](Graph& g) {
                  std::get<Convolution>(g.nodes[0].layer).kernel = {0, 3};
                }},
           Case{"layer 'conv1' (convolution) after 'data' (1x3x8x8): padding 4,4 is larger than the kernel's height 3",
                [](Graph& g) {
                  std::get<Convolution>(g.nodes[0].layer).padding = {4, 4, 4, 4};
                }},
           Case{
               "layer 'conv1' (convolution) after 'data' (1x3x2x8): the output vanishes: height 2 with padding 0,0 is smaller than "
               "the kernel's 3",
               [](Graph& g) {
                 g.inputs[0].shape = {3, 2, 8};
               }},
           Case{"layer 'fc' (linear) after 'flatten' (1x144): 1x1099511627777 has more than 1099511627776 elements",
                [](Graph& g) { std::get<Linear>(g.nodes[3].layer).out_features = (std::int64_t{1} << 40) + 1; }},
           Case{
               "layer 'conv1' (convolution) after 'data' (1x3x8x8): 1x9223372036854775807x6x6 has more than 1099511627776 elements",
               [](Graph& g) { std::get<Convolution>(g.nodes[0].layer).out_channels = INT64_MAX; }},
       }) {
    Graph graph = small();
    spoil(graph);
    EXPECT_EQ(refused([&] { infer_shapes(graph, 1); }), message);
  }
}

TEST(Graph, RefusesTensorsThatNoMachineHolds) {
  Graph graph = small();
  graph.inputs[0].shape = {3, INT64_MAX / 8, 2};
  EXPECT_EQ(refused([&] { infer_shapes(graph, 1); }),
            "input 'data': 1x3x1152921504606846975x2 has more than 1099511627776 elements");
  EXPECT_EQ(refused([&] { infer_shapes(small(), INT64_MAX / 8); }),
            "input 'data': 1152921504606846975x3x8x8 has more than 1099511627776 elements");
  graph = small();
  std::get<Linear>(graph.nodes[3].layer).out_features = std::int64_t{1} << 40;
  EXPECT_EQ(refused([&] { parameters(graph); }), "'fc.weight': 1099511627776x144 has more than 1099511627776 elements");
}

}  // namespace
}  // namespace alexnet::test
