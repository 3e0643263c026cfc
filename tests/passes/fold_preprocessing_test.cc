#include "passes/fold_preprocessing.h"

#include "alexnet/error.h"
#include "runtime/network.h"
#include "tensor/weight_forms.h"
#include "tests/layers/golden.h"
#include "tests/passes/plain_run.h"

namespace alexnet::test {
namespace {

// A network whose conv1 pads nothing, fed with a picture.
Model photographic(Padding4 padding = {}) {
  Model model =
      generated_model({{{"data", {3, 9, 8}}},
                       {{"conv1", Convolution{.out_channels = 4, .kernel = {3, 3}, .padding = padding, .bias = false}, {"data"}},
                        {"relu1", Relu{}, {"conv1"}}},
                       {"relu1"}});
  model.preprocessing.steps = {CenterCrop{.size = {9, 8}}, Channels{.order = ChannelOrder::bgr}, Divide{.by = 255},
                               Normalize{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}}};
  return model;
}

Tensor picture(const Preprocessing& preprocessing) {
  Image image{.width = 8, .height = 9, .pixels = {}};
  for (int i = 0; i < 9 * 8 * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  return preprocess(preprocessing, image).reshaped({1, 3, 9, 8});
}

// 27 taps of |w| < 1 on |x| < 2.7. Preprocessing rounds each pixel three times; folding rounds each weight, which takes a
// pixel's share of up to 4.5, and the bias, which takes off up to 2.2 of each; and both round their result.
constexpr double kTolerance = 0x1p-24 * 27 * (3 * 2.7 + 4.5 + 2.2 + 2 * 2.7);

void expect_near(const Tensor& found, const Tensor& wanted, double tolerance) {
  ASSERT_EQ(found.shape(), wanted.shape());
  for (std::size_t i = 0; i < wanted.values<float>().size(); ++i)
    ASSERT_NEAR(found.values<float>()[i], wanted.values<float>()[i], tolerance) << i;
}

TEST(FoldPreprocessing, FeedsPixelsAsTheyAre) {
  const Model plain = photographic();
  const auto result = fold_preprocessing(plain);
  check(result.model, "folded");
  EXPECT_EQ(result.layer, "conv1");
  EXPECT_EQ(result.note, "folded preprocessing's divide and normalize into convolution 'conv1'");
  const Preprocessing left{{CenterCrop{.size = {9, 8}}, Channels{.order = ChannelOrder::bgr}}};
  EXPECT_TRUE(result.model.preprocessing == left);
  const auto run = [&](const Model& model) { return plain_run(model, {{"data", picture(model.preprocessing)}}).at("relu1"); };
  expect_near(run(result.model), run(plain), kTolerance);
}

TEST(FoldPreprocessing, HoldsInTheCompiledNetwork) {
  const auto run = [](const Model& model) {
    const auto network = compile(model, {});
    const Tensor input = picture(model.preprocessing);
    Tensor output = Tensor::zeros(network->outputs().front().shape.with_batch(1));
    const std::vector<std::span<const float>> inputs{input.values<float>()};
    const std::vector<std::span<float>> outputs{output.mutable_values<float>()};
    Session(network).run(1, inputs, outputs);
    return output;
  };
  // Sums of 27 products in f32 as well, on |w x| up to 1 * 2.7, and up to 4.5 and the bias's 27 * 2.2 once folded.
  const double sums = 0x1p-24 * 27 * (27 * 2.7 + 27 * (4.5 + 2.2));
  const Model plain = photographic();
  expect_near(run(fold_preprocessing(plain).model), run(plain), kTolerance + sums);
}

// No steps at all would mean that nobody knows what is done to pictures.
TEST(FoldPreprocessing, LeavesAStepWhereAllAreFolded) {
  Model model = photographic();
  model.preprocessing.steps = {Divide{.by = 255}};
  EXPECT_TRUE(fold_preprocessing(model).model.preprocessing == Preprocessing{{Channels{}}});
}

std::string refusal(const Model& model) {
  try {
    fold_preprocessing(model);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_EQ(error.where(), "preprocessing");
    return error.message();
  }
  return "folded";
}

TEST(FoldPreprocessing, SaysWhyItCannotBe) {
  EXPECT_EQ(
      refusal(photographic({1, 1, 1, 1})),
      "can't be folded: convolution 'conv1' pads with zeros, which mean the mean colour: the folded one would pad with black");
  Model model = photographic();
  model.graph.outputs.emplace_back("data");
  EXPECT_EQ(refusal(model), "can't be folded: 'data' is read by more than one layer, or is an output");
  model = photographic();
  model.graph.nodes.front().layer = MaxPool{.kernel = {3, 3}};
  EXPECT_EQ(refusal(model), "can't be folded: max_pool 'conv1' reads 'data', and only a convolution can take it over");
  model.graph.inputs.front().shape = {4, 9, 8};
  EXPECT_EQ(refusal(model), "can't be folded: 'data' is 4x9x8, no picture of 3 channels");
  model.graph.inputs.push_back({"more", {3, 9, 8}});
  EXPECT_EQ(refusal(model), "can't be folded: the network has 2 inputs");
  model = photographic();
  model.preprocessing.steps.emplace_back(LocalMeanStep{});
  EXPECT_EQ(refusal(model), "can't be folded: the last step, local_mean_subtraction, is no scale and shift of each channel");
  model.preprocessing.steps.clear();
  EXPECT_EQ(refusal(model), "can't be folded: it is not known what is done to pictures");
  model = photographic();
  model.weights["conv1.weight"] = stored(widened(model.weights["conv1.weight"]), Storage::int8);
  EXPECT_EQ(refusal(model), "can't be folded: the weights of 'conv1' are int8, with a scale a row, or would overflow");
}

}  // namespace
}  // namespace alexnet::test
