#include "image/preprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "tests/image/picture.h"

namespace alexnet {
namespace {

using test::known_picture;
using test::sha256_of;
using testing::ElementsAre;
using testing::HasSubstr;

Preprocessing torchvision(std::int64_t crop) {
  return {{Resize{.shorter = 256, .size = {}}, CenterCrop{.size = {crop, crop}}, Divide{.by = 255},
           Normalize{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}}}};
}

std::vector<float> values(const Tensor& tensor) { return {tensor.values<float>().begin(), tensor.values<float>().end()}; }

std::string error_of(const auto& act) {
  try {
    act();
  } catch (const Error& error) {
    return fmt::format("{}: {}", name(error.kind()), error.what());
  }
  return "no error";
}

Preprocessing read(std::string_view json) { return preprocessing_from_json(parse_json(json, ""), "x"); }

// Of one row, three bytes a pixel, all equal.
Image row_of(std::initializer_list<std::uint8_t> greys) {
  Image image{.width = static_cast<int>(greys.size()), .height = 1, .pixels = {}};
  for (const std::uint8_t grey : greys) image.pixels.insert(image.pixels.end(), 3, grey);
  return image;
}

TEST(Preprocess, GivesTorchvisionsBits) {
  struct Case {
    int width, height;
    const char* sha256;
  };
  const Case cases[] = {
      {500, 375, "6b90c9eb5d70270ac1b2938f37caaa0b"}, {300, 700, "2f2b872170ba32bc870401dccb74cb9a"},
      {64, 64, "4c5857996b4f6f7841ee78bd385ff809"},   {224, 224, "e3a6575d47ca3cddcbbc56e72a2dfe3c"},
      {256, 256, "bbe0867e9e75ba7c29f9e653688caa3a"},
  };
  for (const auto& c : cases) {
    const Tensor tensor = preprocess(torchvision(224), known_picture(c.width, c.height));
    EXPECT_EQ(tensor.shape(), (Shape{3, 224, 224}));
    EXPECT_EQ(sha256(tensor.bytes()).substr(0, 32), c.sha256) << c.width << " x " << c.height;
  }
}

TEST(Preprocess, DividesAndNormalisesAsTorchvisionRounds) {
  const Image picture{.width = 3, .height = 1, .pixels = {0, 0, 0, 128, 128, 128, 255, 255, 255}};
  Preprocessing steps = torchvision(224);
  steps.steps.erase(steps.steps.begin(), steps.steps.begin() + 2);
  EXPECT_THAT(values(preprocess(steps, picture)), ElementsAre(-2.1179039478302f, 0.07406462728977203f, 2.248908281326294f,      //
                                                              -2.0357141494750977f, 0.20518219470977783f, 2.4285714626312256f,  //
                                                              -1.804444432258606f, 0.4264925718307495f, 2.640000104904175f));
}

TEST(Preprocess, WithoutStepsGivesTheBytes) {
  const Image picture{.width = 2, .height = 1, .pixels = {1, 2, 3, 4, 5, 6}};
  const Tensor tensor = preprocess({}, picture);
  EXPECT_EQ(tensor.shape(), (Shape{3, 1, 2}));
  EXPECT_THAT(values(tensor), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(Preprocess, ChannelsTurnBytesAndPlanesAlike) {
  const Image picture{.width = 1, .height = 1, .pixels = {10, 20, 30}};
  const Channels bgr{.order = ChannelOrder::bgr};
  const Normalize means{.mean = {1, 2, 3}};
  EXPECT_THAT(values(preprocess({{bgr, means}}, picture)), ElementsAre(29, 18, 7));
  EXPECT_THAT(values(preprocess({{means, bgr}}, picture)), ElementsAre(27, 18, 9));
  EXPECT_THAT(values(preprocess({{bgr, bgr}}, picture)), ElementsAre(30, 20, 10)) << "an order is stated, not changed";
  EXPECT_THAT(values(preprocess({{means, bgr, Channels{}}}, picture)), ElementsAre(9, 18, 27));
}

TEST(Preprocess, CropsBytesAndPlanesAlike) {
  for (const auto rounding : {CropRounding::half_even, CropRounding::down}) {
    for (const int crop : {1, 2, 5, 6, 7, 9}) {
      const CenterCrop step{.size = {crop, crop + 1}, .rounding = rounding};
      const Divide divide{.by = 3};
      const Image picture = known_picture(6, 5);
      EXPECT_EQ(values(preprocess({{step, divide}}, picture)), values(preprocess({{divide, step}}, picture))) << crop;
    }
  }
}

TEST(Preprocess, CropRoundsHalvesAsAsked) {
  const auto red = [](const Image& picture, std::int64_t width, CropRounding rounding) {
    auto all = values(preprocess({{CenterCrop{.size = {1, width}, .rounding = rounding}}}, picture));
    all.resize(static_cast<std::size_t>(width));
    return all;
  };
  const Image odd = row_of({1, 2, 3, 4});  // margins of 0.5 and 1.5
  EXPECT_THAT(red(odd, 3, CropRounding::half_even), ElementsAre(1, 2, 3));
  EXPECT_THAT(red(odd, 1, CropRounding::half_even), ElementsAre(3));
  EXPECT_THAT(red(odd, 1, CropRounding::down), ElementsAre(2));
  EXPECT_THAT(red(odd, 7, CropRounding::half_even), ElementsAre(0, 1, 2, 3, 4, 0, 0));
}

TEST(Preprocess, TenCropsAreCornersCentreAndTheirMirrorImages) {
  const Preprocessing steps{{CenterCrop{.size = {1, 2}}}};
  const Tensor tensor = preprocess(steps, row_of({1, 2, 3, 4, 5}), Crops::ten);
  ASSERT_EQ(tensor.shape(), (Shape{10, 3, 1, 2}));
  std::vector<float> reds;
  for (std::size_t i = 0; i < 60; i += 6) reds.insert(reds.end(), {values(tensor)[i], values(tensor)[i + 1]});
  // The margin of 1.5 is rounded to 2 in the mirrored picture too: its centre is not the mirrored centre.
  EXPECT_THAT(reds, ElementsAre(1, 2, 4, 5, 1, 2, 4, 5, 3, 4,  //
                                5, 4, 2, 1, 5, 4, 2, 1, 3, 2));
  // Planes are cut as bytes are.
  const Preprocessing late{{Divide{.by = 1}, CenterCrop{.size = {1, 2}}}};
  EXPECT_EQ(values(preprocess(late, row_of({1, 2, 3, 4, 5}), Crops::ten)), values(tensor));
  // A picture smaller than the crop.
  EXPECT_EQ(values(preprocess(steps, row_of({7}), Crops::ten))[0], 7);
}

TEST(Preprocess, IntoGivenRoomIsTheSame) {
  const Image picture = known_picture(300, 280);
  for (const Crops crops : {Crops::one, Crops::ten}) {
    std::vector<float> room(static_cast<std::size_t>(crop_count(crops)) * 3 * 224 * 224);
    preprocess_into(torchvision(224), picture, room, crops);
    EXPECT_EQ(room, values(preprocess(torchvision(224), picture, crops)));
    room.pop_back();
    EXPECT_THAT(error_of([&] { preprocess_into(torchvision(224), picture, room, crops); }),
                HasSubstr("numbers, there is room for"));
  }
}

TEST(Preprocess, NamesWhatItCannotDo) {
  const Image picture = known_picture(4, 4);
  const Preprocessing mean{{MeanImage{.tensor = "mean", .mean = Tensor::zeros({3, 256, 256})}}};
  EXPECT_EQ(error_of([&] { preprocess(mean, picture); }), "model: mean image 'mean' is 3x256x256 of F32, the picture 3x4x4 of F32");
  EXPECT_EQ(error_of([&] { preprocess({}, picture, Crops::ten); }),
            "usage: ten crops need a preprocessing with a center_crop step");
  const Preprocessing whole{{Resize{.shorter = 256, .size = {}}}};
  EXPECT_THAT(error_of([&] { preprocess(whole, known_picture(20'000, 1)); }),
              HasSubstr("too_large: resizing would make a picture of 5120000 x 256 pixels"));
  const Preprocessing both{{Resize{.shorter = 16384, .size = {}}, CenterCrop{.size = {1, 1}}}};
  EXPECT_THAT(error_of([&] { preprocess(both, known_picture(200'000, 1)); }),
              HasSubstr("too_large: resizing 200000 x 1 pixels would make a side of 3276800000"));
}

TEST(PreprocessingJson, ReadsBackWhatItWrites) {
  const Preprocessing steps{{
      Resize{.shorter = 256, .size = {}},
      Resize{.shorter = {}, .size = {{256, 300}}, .antialias = false, .pass_order = PassOrder::pillow12_2},
      CenterCrop{.size = {227, 224}, .rounding = CropRounding::down},
      Channels{.order = ChannelOrder::bgr},
      Divide{.by = 255},
      Normalize{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}},
      MeanImage{.tensor = "preprocess.mean", .mean = {}},
  }};
  EXPECT_EQ(preprocessing_from_json(to_json(steps), "x"), steps);
  EXPECT_EQ(to_json(torchvision(227)).dump(),
            R"([{"step":"resize","shorter":256,"filter":"bilinear","antialias":true,"pass_order":"pillow13"},)"
            R"({"step":"center_crop","size":[227,227],"rounding":"half_even"},{"step":"divide","by":255.0},)"
            R"({"step":"normalize","mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]}])");
}

TEST(PreprocessingJson, RefusesWhatMakesNoSense) {
  struct Case {
    const char* json;
    const char* message;
  };
  const Case cases[] = {
      {R"({})", "model: x: must be a list of steps"},
      {R"([5])", "model: x: step 1: a step must be a JSON object"},
      {R"([{"shorter": 256}])", "model: x: step 1: a step needs a 'step'"},
      {R"([{"step": "rezise"}])", "model: x: step 1: unknown step 'rezise' (did you mean 'resize'?)"},
      {R"([{"step": "divide", "by": 255}, {"step": "sharpen"}])",
       "model: x: step 2: unknown step 'sharpen' (known: resize, center_crop, channels, divide, normalize, mean_image, gcn, lcn, "
       "local_mean_subtraction, zca)"},
      {R"([{"step": "divide", "buy": 255}])", "model: x: step 1: divide has no parameter 'buy' (did you mean 'by'?)"},
      {R"([{"step": "divide", "by": "255"}])", "model: x: step 1: 'by' is \"255\", must be a number"},
      {R"([{"step": "resize", "shorter": 256.5}])", "model: x: step 1: 'shorter' is 256.5, must be a whole number"},
      {R"([{"step": "resize", "shorter": 256, "filter": "bicubic"}])",
       "model: x: step 1: 'filter' is \"bicubic\", must be one of bilinear, opencv_linear"},
      {R"([{"step": "center_crop", "size": 224}])", "model: x: step 1: 'size' is 224, must be a list of 2 whole numbers"},
      {R"([{"step": "resize"}])", "model: x: step 1 (resize): needs either 'shorter' or 'size'"},
      {R"([{"step": "resize", "shorter": 256, "size": [9, 9]}])", "model: x: step 1 (resize): needs either 'shorter' or 'size'"},
      {R"([{"step": "resize", "shorter": 0}])", "model: x: step 1 (resize): has a side of 0 pixels; 1 to 16384 are allowed"},
      {R"([{"step": "resize", "size": [256, 99999]}])",
       "model: x: step 1 (resize): has a side of 99999 pixels; 1 to 16384 are allowed"},
      {R"([{"step": "center_crop"}])", "model: x: step 1 (center_crop): has a side of 0 pixels; 1 to 16384 are allowed"},
      {R"([{"step": "resize", "shorter": 224}, {"step": "center_crop", "size": [227, 227]}])",
       "model: x: step 2 (center_crop): takes 227 x 227 pixels (height x width) out of a picture whose shorter side is 224"},
      {R"([{"step": "resize", "size": [256, 224]}, {"step": "center_crop", "size": [227, 227]}])",
       "model: x: step 2 (center_crop): takes 227 x 227 pixels (height x width) out of 256 x 224"},
      {R"([{"step": "divide", "by": 0}])", "model: x: step 1 (divide): has 'by' 0 and would divide by zero"},
      {R"([{"step": "divide", "by": 1e-60}])", "model: x: step 1 (divide): has 'by' 1e-60 and would divide by zero"},
      {R"([{"step": "divide", "by": 1e60}])", "model: x: step 1 (divide): has 'by' 1e+60, which is not a finite number in f32"},
      {R"([{"step": "normalize", "std": [1, 0, 1]}])", "model: x: step 1 (normalize): has a std of 0 and would divide by zero"},
      {R"([{"step": "normalize", "mean": [1, 1e39, 1]}])",
       "model: x: step 1 (normalize): has a mean of 1e+39, which is not a finite number in f32"},
      {R"([{"step": "mean_image"}])", "model: x: step 1 (mean_image): needs the name of a 'tensor'"},
      {R"([{"step": "divide", "by": 255}, {"step": "resize", "shorter": 256}])",
       "model: x: step 2 (resize): must stand before the steps that compute with the pixels"},
  };
  for (const auto& c : cases) EXPECT_EQ(error_of([&] { read(c.json); }), c.message) << c.json;
}

TEST(Preprocessing, KnowsItsOutputShape) {
  const Resize shorter{.shorter = 256, .size = {}};
  const Resize both{.shorter = {}, .size = {{30, 40}}};
  const CenterCrop crop{.size = {20, 10}};
  EXPECT_EQ(output_shape({}), std::nullopt);
  EXPECT_EQ(output_shape({{shorter, Divide{.by = 255}}}), std::nullopt);
  EXPECT_EQ(output_shape({{both}}), (Shape{3, 30, 40}));
  EXPECT_EQ(output_shape({{shorter, crop, Divide{.by = 255}}}), (Shape{3, 20, 10}));
}

TEST(Preprocessing, KnowsWhatPicturesAreResizedToAtFirst) {
  const Resize shorter{.shorter = 256, .size = {}};
  const Resize both{.shorter = {}, .size = {{30, 40}}};
  EXPECT_EQ(resized_to({{shorter}}), 256);
  EXPECT_EQ(resized_to({{both, Divide{.by = 255}}}), 40);
  EXPECT_EQ(resized_to({}), 0);
  EXPECT_EQ(resized_to({{CenterCrop{.size = {20, 10}}, Divide{.by = 255}}}), 0);
}

TEST(Preprocessing, ListsTheTensorsThatItNeeds) {
  Preprocessing steps{{Divide{.by = 255}, MeanImage{.tensor = "mean", .mean = {}}}};
  const auto needed = tensors(steps);
  ASSERT_EQ(needed.size(), 1u);
  EXPECT_EQ(needed[0].name, "mean");
  *needed[0].tensor = Tensor::of<float>({3, 1, 1}, std::vector<float>{1, 2, 3});
  EXPECT_THAT(values(preprocess(steps, row_of({255}))), ElementsAre(0, -1, -2));
}

}  // namespace
}  // namespace alexnet
