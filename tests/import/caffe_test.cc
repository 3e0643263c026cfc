#include "import/caffe.h"

#include "alexnet/error.h"
#include "tests/import/imported.h"
#include "tests/support.h"

namespace alexnet {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::filesystem::path fixture(const std::string& name) { return test::source_path("tests/golden/import/caffe/" + name); }

Imported imported(const std::string& name, const CaffeImportOptions& options = {}) {
  return import_caffe(fixture(name + ".prototxt"), fixture(name + ".caffemodel"), options);
}

// Sums of hundreds of products in f32 against float64: 1e-5 of the largest, as for whole networks.
constexpr double kTolerance = 1e-5;

TEST(CaffeImport, GivesWhatCaffeComputes) {
  for (const std::string name : {"alexnet", "caffenet_v1", "towers", "train_val"}) {
    SCOPED_TRACE(name);
    test::expect_gives(imported(name), fixture(name + ".npz"), kTolerance);
  }
}

TEST(CaffeImport, KeepsTheOrderOfPoolAndNorm) {
  EXPECT_EQ(test::outline(imported("alexnet").model.graph),
            "conv1:convolution conv1.relu:relu norm1:lrn pool1:max_pool conv2:convolution conv2.relu:relu norm2:lrn pool2:max_pool "
            "flatten:flatten fc6:linear fc6.relu:relu drop6:dropout fc8:linear prob:softmax");
  EXPECT_EQ(
      test::outline(imported("caffenet_v1").model.graph),
      "conv1:convolution conv1.relu:relu pool1:max_pool norm1:lrn conv2:convolution conv2.relu:relu flatten:flatten fc8:linear");
}

TEST(CaffeImport, ReportsWhatBecameOfEachBlob) {
  const auto alexnet = imported("alexnet");
  EXPECT_THAT(alexnet.unused, ElementsAre("loss3/classifier"));
  EXPECT_EQ(alexnet.tensors.at(0).source, "conv1[0]");
  EXPECT_EQ(alexnet.tensors.at(0).ours, "conv1.weight");
  EXPECT_EQ(alexnet.tensors.at(0).done, "as it is");
  EXPECT_EQ(alexnet.format, "Caffe, network 'AlexNet'");
  EXPECT_THAT(alexnet.model.lrn_source, HasSubstr(R"("norm1":{"convention":"caffe")"));
  const auto trained = imported("train_val");
  EXPECT_EQ(trained.tensors.at(1).done, "transposed, to f32");
  EXPECT_THAT(trained.notes, Contains("layer 'accuracy' (Accuracy): left out, it serves training"));
  EXPECT_TRUE(trained.model.graph.outputs == std::vector<std::string>{"ip"});
}

TEST(CaffeImport, JoinsScaleToBatchNorm) {
  const auto towers = imported("towers");
  EXPECT_TRUE(find(towers.model.graph, "bn")->layer == Layer(BatchNorm{.epsilon = 0.001}));
  EXPECT_TRUE(find(towers.model.graph, "bn_b")->layer == Layer(BatchNorm{.scale = false, .offset = false}));
  EXPECT_TRUE(find(towers.model.graph, "gain")->layer == Layer(ScaleShift{.scale = true, .offset = false}));
  EXPECT_EQ(find(towers.model.graph, "scale"), nullptr);
}

TEST(CaffeImport, PreparesPicturesAsCaffeDoes) {
  EXPECT_TRUE(imported("alexnet").model.preprocessing.steps.empty());
  const auto given =
      imported("alexnet", {.mean = {.image = {}, .values = std::array{104.0, 117.0, 123.0}}}).model.preprocessing.steps;
  ASSERT_EQ(given.size(), 4u);
  EXPECT_TRUE(given[0] == Step(Resize{.shorter = std::nullopt, .size = HeightWidth{256, 256}}));
  EXPECT_TRUE(given[1] == Step(CenterCrop{.size = {24, 24}, .rounding = CropRounding::down}));
  EXPECT_TRUE(given[2] == Step(Channels{.order = ChannelOrder::bgr}));
  EXPECT_TRUE(given[3] == Step(Normalize{.mean = {104, 117, 123}, .std = {1, 1, 1}}));

  // The data layer of a network in training says it all.
  const auto trained = imported("train_val");
  EXPECT_THAT(trained.choices, Contains(Pair("mean", "mean_value of the network's data layer")));
  ASSERT_EQ(trained.model.preprocessing.steps.size(), 5u);
  EXPECT_TRUE(trained.model.preprocessing.steps[3] == Step(Normalize{.mean = {104, 117, 123}, .std = {1, 1, 1}}));
  EXPECT_TRUE(trained.model.preprocessing.steps[4] == Step(Divide{.by = 2}));

  // A mean picture is subtracted before the crop, at its place.
  const auto picture = imported("alexnet", {.mean = {.image = Tensor::zeros({3, 32, 40}), .values = {}}}).model.preprocessing.steps;
  ASSERT_EQ(picture.size(), 4u);
  EXPECT_TRUE(picture[0] == Step(Resize{.shorter = std::nullopt, .size = HeightWidth{32, 40}}));
  EXPECT_TRUE(std::holds_alternative<MeanImage>(picture[2]));
  EXPECT_TRUE(std::holds_alternative<CenterCrop>(picture[3]));
}

TEST(CaffeImport, ReadsAMeanPicture) {
  const auto mean = read_binaryproto(fixture("mean.binaryproto"));
  EXPECT_EQ(mean.shape(), (Shape{3, 4, 5}));
  EXPECT_EQ(mean.values<float>()[59], 59.0f);
}

// -- networks written here --

std::vector<CaffeBlobs> weights(const std::string& layer, const std::vector<Shape>& shapes) {
  CaffeBlobs result{layer, {}};
  for (const auto& shape : shapes) {
    result.blobs.push_back(Tensor::zeros(shape));
    for (float& value : result.blobs.back().mutable_values<float>()) value = 1;
  }
  return {result};
}

const std::string kInput = "input: \"data\" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }\n";

std::string refusal(const std::string& prototxt, const std::vector<CaffeBlobs>& blobs = {}) {
  try {
    import_caffe(parse_prototxt(prototxt, "net.prototxt"), blobs, {}, "net.prototxt", "net.caffemodel");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_THAT(error.where(), HasSubstr("net.prototxt"));
    return error.hint().empty() ? error.message() : fmt::format("{} ({})", error.message(), error.hint());
  }
  return "accepted";
}

TEST(CaffeImport, ListsAllUnsupportedLayers) {
  EXPECT_EQ(refusal(kInput + "layer { name: \"a\" type: \"PReLU\" bottom: \"data\" top: \"a\" }"
                             "layer { name: \"b\" type: \"Deconvolution\" bottom: \"a\" top: \"b\" }"
                             "layer { name: \"c\" type: \"PReLU\" bottom: \"b\" top: \"c\" }"
                             "layer { name: \"d\" type: \"ReLU\" bottom: \"c\" top: \"d\" }"
                             "layer { name: \"e\" type: \"ReLU\" bottom: \"data\" top: \"e\" relu_param { negative_slope: 0.1 } }"),
            "layers of type Deconvolution are not supported: 'b'; layers of type PReLU are not supported: 'a', 'c'; layer 'e' "
            "(ReLU): has "
            "a negative_slope of 0.1, only 0 is supported");
}

TEST(CaffeImport, RefusesBlobsThatContradictThePrototxt) {
  const std::string conv = kInput +
                           "layer { name: \"conv\" type: \"Convolution\" bottom: \"data\" top: \"conv\" convolution_param { "
                           "num_output: 2 kernel_size: 3 } }";
  EXPECT_EQ(refusal(conv, weights("conv", {{2, 3, 3, 3}, {2}})), "accepted");
  EXPECT_EQ(refusal(conv, weights("conv", {{2, 3, 3, 3}, {1, 1, 1, 2}})), "accepted");
  EXPECT_EQ(refusal(conv), "layer 'conv' (Convolution): has no weights in the .caffemodel");
  EXPECT_EQ(refusal(conv, weights("conv", {{2, 3, 3, 3}})),
            "layer 'conv' (Convolution): has 1 blobs in the .caffemodel, the prototxt wants 2");
  EXPECT_EQ(refusal(conv, weights("conv", {{2, 3, 5, 5}, {2}})),
            "layer 'conv' (Convolution): its blob 0 is 2x3x5x5, the prototxt wants 2x3x3x3");
  EXPECT_EQ(refusal(conv, weights("conv", {{2, 3, 3, 3}, {3}})),
            "layer 'conv' (Convolution): its blob 1 is 3, the prototxt wants 2");
}

TEST(CaffeImport, RefusesNetworksThatContradictThemselves) {
  const auto layer = [](const std::string& type, const std::string& more = "bottom: \"data\" top: \"y\"") {
    return fmt::format("layer {{ name: \"y\" type: \"{}\" {} }}", type, more);
  };
  const auto pool = [&](const std::string& parameters) {
    return kInput + layer("Pooling", "bottom: \"data\" top: \"y\" pooling_param { " + parameters + " }");
  };
  const struct {
    std::string what;
    std::string prototxt;
    std::string message;
  } cases[] = {
      {"nothing", "", "has no layers"},
      {"no input", layer("ReLU"), "has no input"},
      {"both generations", kInput + layer("ReLU") + "layers { name: \"z\" type: RELU }", "mixes `layer` and `layers`"},
      {"generation V0", "layers { layer { name: \"x\" type: \"conv\" } bottom: \"data\" top: \"x\" }",
       "generation V0, which is not read"},
      {"no name", kInput + "layer { type: \"ReLU\" }", "is a layer without a name or a type"},
      {"no bottom", kInput + layer("ReLU", "top: \"y\""), "layer 'y' (ReLU): has no bottom"},
      {"no top", kInput + layer("ReLU", "bottom: \"data\""), "layer 'y' (ReLU): has no top"},
      {"a bottom that nothing makes", kInput + layer("ReLU", "bottom: \"dat\" top: \"y\""),
       "reads 'dat', which no layer before it makes; did you mean 'data'?"},
      {"a cycle",
       kInput + layer("ReLU", "bottom: \"z\" top: \"y\"") + "layer { name: \"z\" type: \"ReLU\" bottom: \"y\" top: \"z\" }",
       "layer 'y' (ReLU): reads 'z', which no layer before it makes"},
      {"three extents", "input: \"data\" input_dim: 1 input_dim: 3 input_dim: 8 " + layer("ReLU"),
       "has 1 inputs, 3 input_dim and 0 input_shape"},
      {"a negative extent", "input: \"data\" input_shape { dim: 1 dim: -3 } " + layer("ReLU"),
       "input 'data' has the impossible shape 1x-3"},
      {"a data layer without a size", "layer { name: \"d\" type: \"Data\" top: \"data\" }" + layer("ReLU"),
       "does not say the size of its pictures (crop_size) (a deploy.prototxt says the input's shape)"},
      {"no kernel", pool("pool: MAX"), "has no kernel_size"},
      {"a kernel in two ways", pool("kernel_size: 2 kernel_h: 2 kernel_w: 2"),
       "says kernel_size in more than one way, or only half"},
      {"half a kernel", pool("kernel_h: 2"), "says kernel_size in more than one way, or only half"},
      {"a stochastic pool", pool("pool: STOCHASTIC kernel_size: 2"), "pools stochastically"},
      {"an unknown pool", pool("pool: MEDIAN kernel_size: 2"), "pool is 'MEDIAN'"},
      {"a window behind the input", pool("kernel_size: 1 stride: 3"), "4 windows by its rule, 3 that see something"},
      {"an empty last window", pool("kernel_size: 2 stride: 5"), "its last window lies behind its input"},
      {"an even window", kInput + layer("LRN", "bottom: \"data\" top: \"y\" lrn_param { local_size: 4 }"), "layer 'y' (LRN)"},
      {"statistics of the batch",
       kInput + layer("BatchNorm", "bottom: \"data\" top: \"y\" batch_norm_param { use_global_stats: false }"),
       "computes statistics of its batch"},
      {"weighted sums",
       kInput + layer("Eltwise", "bottom: \"data\" bottom: \"data\" top: \"y\" eltwise_param { coeff: 1 coeff: -1 }"),
       "weighs its inputs (coeff)"},
      {"unequal parts", kInput + layer("Slice", "bottom: \"data\" top: \"a\" top: \"b\""), "slices 3 into 2 equal parts"},
      {"points that do not rise", kInput + layer("Slice", "bottom: \"data\" top: \"a\" top: \"b\" slice_param { slice_point: 3 }"),
       "has slice_point that do not rise"},
      {"a value of the wrong kind", kInput + layer("ReLU", "bottom: \"data\" top: \"y\" relu_param { negative_slope: \"x\" }"),
       "'negative_slope' is 'x', must be a number"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_THAT(refusal(c.prototxt), HasSubstr(c.message));
  }
}

// Rules of phases, levels and stages, against a network at test time.
TEST(CaffeImport, TakesTheLayersOfTheTestPhase) {
  const auto kept = [](const std::string& rules) {
    const auto prototxt = kInput + "layer { name: \"a\" type: \"ReLU\" bottom: \"data\" top: \"a\" }" +
                          "layer { name: \"b\" type: \"ReLU\" bottom: \"a\" top: \"b\" " + rules + " }";
    return import_caffe(parse_prototxt(prototxt, "net"), {}, {}, "net", "weights").model.graph.nodes.size() == 2;
  };
  EXPECT_TRUE(kept(""));
  EXPECT_TRUE(kept("include { phase: TEST }"));
  EXPECT_FALSE(kept("include { phase: TRAIN }"));
  EXPECT_TRUE(kept("include { phase: TRAIN } include { phase: TEST }"));
  EXPECT_TRUE(kept("exclude { phase: TRAIN }"));
  EXPECT_FALSE(kept("exclude { phase: TEST }"));
  EXPECT_FALSE(kept("include { stage: \"deploy\" }"));
  EXPECT_TRUE(kept("include { not_stage: \"deploy\" }"));
  EXPECT_FALSE(kept("include { min_level: 1 }"));
  EXPECT_FALSE(kept("include { max_level: -1 }"));
}

}  // namespace
}  // namespace alexnet
