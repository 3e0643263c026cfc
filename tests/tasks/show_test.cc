#include "tasks/show.h"

#include <set>

#include "alexnet/error.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

std::array<int, 3> pixel(const Image& image, int x, int y) {
  const auto* at = ImageView(image).row(y) + 3 * x;
  return {at[0], at[1], at[2]};
}

// One layer, a photograph of 2x3 pixels in and out.
Model one_layer(const Layer& layer) {
  Model model;
  model.graph = checked({.inputs = {{"data", {3, 2, 3}}}, .nodes = {{"norm", layer, {"data"}}}, .outputs = {"norm"}});
  model.preprocessing.steps = {CenterCrop{.size = {2, 3}}};
  return model;
}

Image ramp() {
  Image image{.width = 3, .height = 2, .pixels = {}};
  for (int i = 0; i < 18; ++i) image.pixels.push_back(static_cast<std::uint8_t>(15 * i));
  return image;
}

TEST(Show, MapsOfThreeChannelsAreColours) {
  const Model model = one_layer(Relu{});
  const auto network = compile_for_maps(model, "norm", {.threads = 1});
  const Image picture = picture_of_maps(network, model.preprocessing, ramp());
  // Two panels, alike since ReLU changes nothing: 0 is black and 255, the largest value, white. Each pixel is 16 wide.
  const int half = picture.height / 2;
  for (const int top : {0, half}) {
    EXPECT_EQ(pixel(picture, 4, top + 28), (std::array{0, 15, 30}));
    EXPECT_EQ(pixel(picture, 4 + 47, top + 28 + 16), (std::array{225, 240, 255}));
  }
}

TEST(Show, ChannelsInBgrOrderAreTurnedRound) {
  Model model = one_layer(Relu{});
  model.preprocessing.steps.emplace_back(Channels{.order = ChannelOrder::bgr});
  const Image picture = picture_of_maps(compile_for_maps(model, "norm", {.threads = 1}), model.preprocessing, ramp());
  EXPECT_EQ(pixel(picture, 4, 28), (std::array{0, 15, 30}));
}

TEST(Show, MakesGridsOfWhateverALayerMakes) {
  const Model model = test::tiny_model();
  Image photo{.width = 40, .height = 50, .pixels = {}};
  for (int i = 0; i < 3 * 40 * 50; ++i) photo.pixels.push_back(static_cast<std::uint8_t>(i * i % 251));
  for (const char* layer : {"data", "conv1", "norm1", "pool2", "flatten", "fc3", "prob"}) {
    const Image picture = picture_of_maps(compile_for_maps(model, layer, {.threads = 1}), model.preprocessing, photo);
    std::set<std::array<int, 3>> colours;
    for (int y = 0; y < picture.height; ++y)
      for (int x = 0; x < picture.width; ++x) colours.insert(pixel(picture, x, y));
    EXPECT_GT(colours.size(), 5u) << layer;
    EXPECT_LT(picture.width, 1300) << layer;
  }
}

TEST(Show, FiltersAreOnOneScaleAroundGrey) {
  Model model = one_layer(Convolution{.out_channels = 2, .kernel = {1, 1}, .bias = false});
  model.weights["norm.weight"] = Weight::of(Tensor::of<float>({2, 3, 1, 1}, std::array{-2.0f, 0.0f, 1.0f, 2.0f, 0.0f, 0.0f}));
  const Image picture = picture_of_filters(model, "norm.weight");
  EXPECT_EQ(pixel(picture, 10, 30), (std::array{0, 128, 191}));
  EXPECT_EQ(pixel(picture, 4 + 48 + 4 + 6, 30), (std::array{255, 128, 128}));
}

TEST(Show, SaysWhatThereIsToShow) {
  const auto message = [](const auto& show) -> std::string {
    try {
      show();
      return "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
  };
  const Model model = test::tiny_model();
  EXPECT_THAT(message([&] { compile_for_maps(model, "norm2", {}); }),
              testing::HasSubstr("the network has no layer 'norm2' (did you mean norm1?)"));
  EXPECT_THAT(message([&] { picture_of_filters(model, "fc3.weight"); }),
              testing::HasSubstr("'fc3.weight' is no weight of a convolution (it has conv1.weight, conv2.weight)"));
  const Model none = one_layer(Relu{});
  EXPECT_THAT(message([&] { picture_of_filters(none, "norm.weight"); }), testing::HasSubstr("the model has none"));
}

}  // namespace
}  // namespace alexnet
