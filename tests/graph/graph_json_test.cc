#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "graph/graph.h"

namespace alexnet::test {
namespace {

// A graph as model files spell it (formats.md has the same).
constexpr const char* kText =
    R"({"inputs":[{"name":"data","shape":[3,227,227]}],"layers":[)"
    R"({"name":"conv1","kind":"convolution","inputs":["data"],"out_channels":96,"kernel":[11,11],"stride":[4,4]},)"
    R"({"name":"relu1","kind":"relu","inputs":["conv1"]}],"outputs":["relu1","conv1"]})";

std::string refused(const std::string& text) {
  try {
    graph_from_json(parse_json(text, "test"));
    return "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.what();
  }
}

TEST(GraphJson, ReadsWhatItWrites) {
  const Graph graph = graph_from_json(parse_json(kText, "test"));
  const Graph wanted{
      {{"data", {3, 227, 227}}},
      {{"conv1", Convolution{.out_channels = 96, .kernel = {11, 11}, .stride = {4, 4}}, {"data"}}, {"relu1", Relu{}, {"conv1"}}},
      {"relu1", "conv1"}};
  EXPECT_TRUE(graph == wanted);
  EXPECT_EQ(to_json(graph).dump(), kText);
}

TEST(GraphJson, PutsLayersInOrder) {
  const auto graph =
      graph_from_json(parse_json(R"({"inputs":[{"name":"x","shape":[3]}],"layers":[{"name":"b","kind":"relu","inputs":["a"]},)"
                                 R"({"name":"a","kind":"relu","inputs":["x"]}],"outputs":["b"]})",
                                 "test"));
  EXPECT_EQ(graph.nodes[0].name, "a");
}

// Each breaks one thing of a right text: `from` becomes `to`.
TEST(GraphJson, RefusesWhatIsNoGraph) {
  struct Case {
    const char* from;
    const char* to;
    const char* message;
  };
  for (const auto& [from, to, message] : {
           Case{R"("outputs")", R"("output")", "graph: it has the unknown key 'output'"},
           Case{R"(,"outputs":["relu1","conv1"])", "", "graph: needs a list of 'outputs'"},
           Case{R"(["relu1","conv1"])", R"("relu1")", "graph: needs a list of 'outputs'"},
           Case{R"(["relu1","conv1"])", R"([7])", "graph: outputs must be a list of names"},
           Case{R"(["relu1","conv1"])", R"([])", "graph: has no output"},
           Case{R"([{"name":"data","shape":[3,227,227]}])", "[]", "graph: has no input"},
           Case{R"([{"name":"data","shape":[3,227,227]}])", "[5]", "graph: an input must be a JSON object"},
           Case{R"("shape")", R"("size")", "graph: an input has the unknown key 'size'"},
           Case{R"({"name":"data",)", "{", "graph: an input needs a 'name'"},
           Case{R"([3,227,227])", R"([3,"227"])", "graph: input 'data' has a shape that is not whole numbers"},
           Case{R"([3,227,227])", R"([3,227.0])", "graph: input 'data' has a shape that is not whole numbers"},
           Case{R"([3,227,227])", R"("3x227x227")", "graph: input 'data' needs a 'shape' of 1 to 7 positive extents"},
           Case{R"([3,227,227])", R"([])", "graph: input 'data' needs a 'shape' of 1 to 7 positive extents"},
           Case{R"([3,227,227])", R"([3,0,227])", "graph: input 'data' needs a 'shape' of 1 to 7 positive extents"},
           Case{R"([3,227,227])", R"([3,-227,-227])", "graph: input 'data' needs a 'shape' of 1 to 7 positive extents"},
           Case{R"([3,227,227])", R"([1,1,1,1,1,1,1,1])", "graph: input 'data' needs a 'shape' of 1 to 7 positive extents"},
           Case{R"([3,227,227])", R"([4294967296,4294967296,4294967296])",
                "graph: input 'data' needs a 'shape' of 1 to 7 positive extents"},
           Case{R"([3,227,227])", R"([18446744073709551615])", "graph: input 'data' needs a 'shape' of 1 to 7 positive extents"},
           Case{R"([3,227,227])", R"([3,1099511627776,227])",
                "input 'data': 1x3x1099511627776x227 has more than 1099511627776 elements"},
           Case{
               R"([3,227,227])", R"([3,8,8])",
               "layer 'conv1' (convolution) after 'data' (1x3x8x8): the output vanishes: height 8 with padding 0,0 is smaller than "
               "the kernel's 11"},
           Case{R"({"name":"relu1",)", "{", "graph: a layer needs a 'name'"},
           Case{R"("name":"relu1")", R"("name":"conv1")", "graph: the name 'conv1' is used twice"},
           Case{R"({"name":"relu1","kind":"relu","inputs":["conv1"]})", "3", "graph: a layer must be a JSON object"},
           Case{R"("inputs":["conv1"])", R"("inputs":"conv1")", "graph: layer 'relu1' needs its 'inputs', a list of names"},
           Case{R"("inputs":["conv1"])", R"("inputs":[["conv1"]])", "layer 'relu1': inputs must be a list of names"},
           Case{R"("inputs":["conv1"])", R"("inputs":["relu1"])", "layer 'relu1': is part of a cycle: 'relu1' reads 'relu1'"},
           Case{R"("kind":"relu")", R"("kind":"relo")", "layer 'relu1': unknown layer kind 'relo' (did you mean 'relu'?)"},
           Case{R"("kind":"relu",)", "", "layer 'relu1': a layer needs a 'kind'"},
           Case{R"("kernel":[11,11])", R"("kernel":[11])", "layer 'conv1': 'kernel' is [11], must be a list of 2 whole numbers"},
           Case{R"("kernel":[11,11])", R"("kernal":[11,11])",
                "layer 'conv1': convolution has no parameter 'kernal' (did you mean 'kernel'?)"},
           Case{R"("stride":[4,4])", R"("stride":[-4,4])",
                "layer 'conv1' (convolution) after 'data' (1x3x227x227): stride is -4, must be at least 1"},
       }) {
    std::string text = kText;
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, std::string(from).size(), to);
    EXPECT_EQ(refused(text), message) << text;
  }
  EXPECT_EQ(refused("[]"), "graph: it must be a JSON object");
}

}  // namespace
}  // namespace alexnet::test
