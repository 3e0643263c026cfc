#include "import/source.h"

#include <cstring>

#include "base/file.h"
#include "import/known_structure.h"
#include "tests/import/imported.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

std::filesystem::path golden(const std::string& name) { return test::source_path("tests/golden/" + name); }

std::optional<SourceKind> kind_of(const std::string& text) { return source_kind(std::as_bytes(std::span(text))); }

TEST(Sources, AreKnownByTheirBytes) {
  const struct {
    std::string file;
    SourceKind kind;
  } cases[] = {
      {"formats/pytorch/plain.pth", SourceKind::pytorch},
      {"formats/pytorch/legacy.pth", SourceKind::pytorch},
      {"formats/pytorch/legacy_protocol0.pth", SourceKind::pytorch},
      {"formats/pytorch/torchscript.pth", SourceKind::pytorch},
      {"runtime/bvlc.safetensors", SourceKind::safetensors},
      {"import/onnx/dynamo.onnx", SourceKind::onnx},
      {"import/onnx/zoo_caffe2.onnx", SourceKind::onnx},
      {"import/caffe/alexnet.prototxt", SourceKind::caffe_network},
      {"import/caffe/caffenet_v1.prototxt", SourceKind::caffe_network},
      {"import/caffe/alexnet.caffemodel", SourceKind::caffe_weights},
      {"import/caffe/caffenet_v1.caffemodel", SourceKind::caffe_weights},
  };
  for (const auto& c : cases) EXPECT_EQ(source_kind(read_file(golden(c.file))), c.kind) << c.file;
  EXPECT_EQ(kind_of("\n {\"weight_map\": {}}"), SourceKind::safetensors_index);
  EXPECT_EQ(kind_of("# a comment\nname : 'x'"), SourceKind::caffe_network);
  EXPECT_EQ(kind_of("layers { layer {} }"), SourceKind::caffe_network) << "a brace where a safetensors header begins";
  for (const std::string text :
       {"", "hello, world", "<html>", "\xff\xd8\xff\xe0", "\x89PNG\r\n\x1a\n", "GIF89a", "# only a comment"}) {
    EXPECT_EQ(kind_of(text), std::nullopt) << text;
  }
}

// The architecture as another tool might give it: other names, no dropouts, no softmax, the adaptive pool as a pool of 1 x 1.
Graph in_other_words(const std::string& name) {
  Graph graph = with_classes(architecture(name).graph, 7);
  std::map<std::string, std::string> names;
  Graph result{.inputs = {{"x", graph.inputs.front().shape}}, .nodes = {}, .outputs = {}};
  names[graph.inputs.front().name] = "x";
  for (auto& node : graph.nodes) {
    const auto source = names.at(node.inputs.front());
    if (std::holds_alternative<Dropout>(node.layer) || std::holds_alternative<Softmax>(node.layer)) {
      names[node.name] = source;
      continue;
    }
    if (std::holds_alternative<AdaptiveAveragePool>(node.layer)) node.layer = AveragePool{.kernel = {1, 1}};
    if (auto* lrn = std::get_if<Lrn>(&node.layer)) lrn->alpha = static_cast<double>(static_cast<float>(lrn->alpha));
    names[node.name] = "node_" + node.name;
    result.nodes.push_back({names.at(node.name), node.layer, {source}});
  }
  result.outputs = {result.nodes.back().name};
  return result;
}

TEST(KnownStructure, IsRecognisedWhateverTheNames) {
  for (const auto& name : architecture_names()) {
    const auto known = known_structure(in_other_words(name));
    ASSERT_TRUE(known.has_value()) << name;
    EXPECT_EQ(known->architecture, name);
    EXPECT_EQ(known->names.at("node_conv1"), "conv1");
    EXPECT_EQ(known->names.at("node_fc8"), "fc8");
    EXPECT_EQ(known->names.at("x"), "data");
  }
  EXPECT_FALSE(known_structure(test::tiny_model().graph).has_value());
  Graph other = in_other_words("bvlc");
  std::get<Lrn>(find(other, "node_norm1")->layer).k = 3;
  EXPECT_FALSE(known_structure(other).has_value()) << "another k is another network";
}

TEST(KnownStructure, RenamesAllThatSpeaksOfALayer) {
  Imported imported;
  imported.model = test::tiny_model();
  imported.model.lrn_source = R"({"norm1":{"convention":"caffe"}})";
  imported.tensors.push_back({"a", "conv1.weight", {}, ElementType::f32, ""});
  rename(imported, {{"data", "x"}, {"conv1", "first"}, {"norm1", "conv2"}});
  const Model& model = imported.model;
  EXPECT_TRUE(problems(model).empty());
  EXPECT_EQ(test::outline(model.graph).substr(0, 60),
            std::string("first:convolution conv1.relu:relu conv2:lrn pool1:max_pool conv2_:convolution").substr(0, 60));
  EXPECT_EQ(model.graph.inputs.front().name, "x");
  EXPECT_TRUE(model.weights.contains("first.weight"));
  EXPECT_TRUE(model.weights.contains("conv2_.weight")) << "what had the name gives way";
  EXPECT_EQ(imported.tensors.front().ours, "first.weight");
  EXPECT_NE(model.lrn_source.find(R"("conv2")"), std::string::npos);
}

}  // namespace
}  // namespace alexnet
