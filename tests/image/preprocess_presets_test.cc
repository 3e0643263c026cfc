#include "image/preprocess_presets.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "tests/pictures.h"

namespace alexnet {
namespace {

Image picture() {
  Image image{.width = 40, .height = 30, .pixels = {}};
  for (int i = 0; i < 40 * 30 * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 251));
  return image;
}

PictureMean picture_mean() {
  Tensor mean = Tensor::zeros({3, 36, 38});
  for (std::size_t i = 0; auto& value : mean.mutable_values<float>()) value = static_cast<float>(i++ % 97);
  return {.image = mean, .values = {}};
}

TEST(PreprocessPresets, FitTheNetworksInput) {
  for (const auto& name : preprocess_preset_names()) {
    for (const HeightWidth input : {HeightWidth{227, 227}, HeightWidth{32, 24}, HeightWidth{300, 256}}) {
      EXPECT_EQ(output_shape(preprocess_preset(name, input)), (Shape{3, input[0], input[1]})) << name;
    }
  }
  EXPECT_EQ(output_shape(preprocess_preset("caffe", {32, 24}, picture_mean())), (Shape{3, 32, 24}));
}

TEST(PreprocessPresets, TurnAroundToAnotherOrderOfChannelsBitForBit) {
  const std::vector<Preprocessing> recipes{preprocess_preset("torchvision", {24, 20}), preprocess_preset("caffe", {24, 20}),
                                           preprocess_preset("caffe", {24, 20}, picture_mean()),
                                           preprocess_preset("tensorflow", {24, 20})};
  for (const auto& recipe : recipes) {
    const Tensor rgb = preprocess(with_channels(recipe, ChannelOrder::rgb), picture());
    const Tensor bgr = preprocess(with_channels(recipe, ChannelOrder::bgr), picture());
    const std::size_t plane = 24 * 20 * sizeof(float);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_TRUE(std::ranges::equal(rgb.bytes().subspan(c * plane, plane), bgr.bytes().subspan((2 - c) * plane, plane)))
          << to_json(recipe) << " channel " << c;
    }
  }
  EXPECT_TRUE(with_channels({}, ChannelOrder::bgr).steps.empty());
}

TEST(PreprocessPresets, RefuseAMeanThatDoesNotFit) {
  const auto message = [](const std::string& name, const PictureMean& mean) {
    try {
      preprocess_preset(name, {227, 227}, mean);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(message("caffe", picture_mean()), testing::HasSubstr("the mean picture is 3x36x38, must be 3x227x227 or larger"));
  EXPECT_THAT(message("torchvision", picture_mean()), testing::HasSubstr("a mean does not fit torchvision's recipe"));
  EXPECT_THAT(message("tensorflow", picture_mean()), testing::HasSubstr("three numbers do"));
  EXPECT_THAT(message("keras", {}), testing::HasSubstr("known: torchvision, caffe, tensorflow"));
}

}  // namespace
}  // namespace alexnet
