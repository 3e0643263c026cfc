// Pixels and tensors against Pillow's and torchvision's.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alexnet/error.h"
#include "image/decode.h"
#include "image/jpeg_segments.h"
#include "image/preprocess.h"
#include "tests/image/golden.h"
#include "tests/image/picture.h"

namespace alexnet {
namespace {

using test::golden;
using test::golden_file;
using test::known_picture;
using test::sha256_of;

const Normalize kNormalize{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};

Preprocessing torchvision(std::int64_t resize, std::int64_t crop) {
  return {{Resize{.shorter = resize, .size = {}}, CenterCrop{.size = {crop, crop}}, Divide{.by = 255}, kNormalize}};
}

Image known_picture_of(const Json& c) { return known_picture(c["width"], c["height"]); }

bool has_reference_jpeg() { return jpeg_decoder().starts_with("libjpeg-turbo"); }

TEST(Golden, EveryVariantDecodesToPillowsPixels) {
  std::set<std::string> formats;
  for (const Json& c : golden("golden.json", "decode")) {
    const std::string file = c["file"];
    SCOPED_TRACE(file);
    try {
      const Decoded decoded = decode(golden_file(file), {}, file);
      EXPECT_EQ(decoded.image.width, c["width"]);
      EXPECT_EQ(decoded.image.height, c["height"]);
      formats.insert(decoded.format);
      if (decoded.format == "JPEG" && !has_reference_jpeg()) continue;
      EXPECT_EQ(sha256_of(decoded.image.pixels), c["rgb"]);
    } catch (const Error& error) {
      const bool excused = !has_reference_jpeg() && file.starts_with("arithmetic") && error.kind() == ErrorKind::unsupported;
      EXPECT_TRUE(excused) << error.what();
    }
  }
  EXPECT_THAT(formats, testing::ElementsAre("BMP", "GIF", "JPEG", "PNG", "PNM"));
}

TEST(Golden, DamagedJpegsGivePillowsPixelsOrAnError) {
  if (!has_reference_jpeg()) GTEST_SKIP() << "needs libjpeg-turbo";
  int refused = 0;
  int warned = 0;
  for (const Json& c : golden("golden.json", "damage")) {
    auto bytes = golden_file(c["file"]);
    bytes[c["at"].get<std::size_t>()] = static_cast<std::byte>(c["value"].get<int>());
    SCOPED_TRACE(fmt::format("{}, byte {} = {}", c["file"].get<std::string>(), c["at"].get<int>(), c["value"].get<int>()));
    try {
      const Decoded decoded = decode(bytes, {}, "broken.jpg");
      ASSERT_FALSE(c["rgb"].is_null()) << "Pillow refuses it";
      EXPECT_EQ(sha256_of(decoded.image.pixels), c["rgb"]);
      if (!decoded.notes.empty()) ++warned;
    } catch (const Error& error) {
      EXPECT_TRUE(c["rgb"].is_null()) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(warned, 10);
}

TEST(Golden, ExifOrientationIsReadButNotObeyed) {
  for (const Json& c : golden("golden.json", "decode")) {
    const std::string file = c["file"];
    if (!file.ends_with(".jpg")) continue;
    EXPECT_EQ(exif_orientation(golden_file(file)), c.value("orientation", 1)) << file;
  }
}

TEST(Golden, OddSizesGiveTorchvisionsBits) {
  const Preprocessing squash{{Resize{.shorter = {}, .size = {{256, 192}}}}};
  for (const Json& c : golden("golden.json", "sizes")) {
    const Image picture = known_picture_of(c);
    SCOPED_TRACE(fmt::format("{} x {}", picture.width, picture.height));
    const int width = c["resized"][0];
    const int height = c["resized"][1];
    EXPECT_EQ(sha256_of(resize(picture, width, height).pixels), c["rgb"]);
    EXPECT_EQ(sha256_of(resize(picture, width, height, {.pass_order = PassOrder::horizontal_first}).pixels), c["horizontal_first"]);
    EXPECT_EQ(sha256(preprocess(torchvision(256, 224), picture).bytes()), c["tensor224"]);
    EXPECT_EQ(sha256(preprocess(torchvision(256, 227), picture).bytes()), c["tensor227"]);
    EXPECT_EQ(sha256(preprocess(torchvision(227, 227), picture).bytes()), c["tensor_resize227"]);
    EXPECT_EQ(sha256_of(resize(picture, 192, 256).pixels), c["squashed"]);
  }
}

TEST(Golden, APictureOf20000By1GivesTorchvisionsBits) {
  const Json c = golden("golden.json", "long");
  EXPECT_EQ(sha256(preprocess(torchvision(256, 224), known_picture_of(c)).bytes()), c["tensor224"]);
}

TEST(Golden, PassOrdersGiveTheBitsOfTheirPillows) {
  for (const Json& c : golden("golden.json", "orders")) {
    const Image picture = known_picture(c["from"][0], c["from"][1]);
    for (const auto& [name, order] : {std::pair{"pillow13", PassOrder::pillow13},
                                      {"pillow12.2", PassOrder::pillow12_2},
                                      {"horizontal_first", PassOrder::horizontal_first}}) {
      EXPECT_EQ(sha256_of(resize(picture, c["to"][0], c["to"][1], {.pass_order = order}).pixels), c[name])
          << c["from"] << " to " << c["to"] << ", " << name;
    }
  }
}

TEST(Golden, CropsRoundAndPadAsTorchvisions) {
  // The bytes themselves, read back from a tensor that nothing was done to.
  const Preprocessing crop{{CenterCrop{.size = {224, 224}}}};
  for (const Json& c : golden("golden.json", "crops")) {
    const Tensor tensor = preprocess(crop, known_picture_of(c));
    std::vector<std::uint8_t> pixels(3 * 224 * 224);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<std::uint8_t>(tensor.values<float>()[i % 3 * 224 * 224 + i / 3]);
    }
    EXPECT_EQ(sha256_of(pixels), c["rgb"]) << c["width"] << " x " << c["height"];
  }
}

TEST(Golden, TenCropsGiveTorchvisionsBits) {
  for (const Json& c : golden("golden.json", "ten_crops")) {
    const Tensor tensor = preprocess(torchvision(256, 224), known_picture_of(c), Crops::ten);
    EXPECT_EQ(tensor.shape(), (Shape{10, 3, 224, 224}));
    EXPECT_EQ(sha256(tensor.bytes()), c["tensors"]) << c["width"] << " x " << c["height"];
  }
}

TEST(Golden, CaffesChainGivesItsBits) {
  const Resize squash{.shorter = {}, .size = {{256, 256}}};
  const CenterCrop crop{.size = {227, 227}, .rounding = CropRounding::down};
  const Channels bgr{.order = ChannelOrder::bgr};
  const Preprocessing by_value{{squash, crop, bgr, Normalize{.mean = {104, 117, 123}}}};
  MeanImage mean_image{.tensor = "preprocess.mean", .mean = Tensor::zeros({3, 256, 256})};
  for (std::size_t i = 0; i < 3 * 256 * 256; ++i) {
    const auto sum = 31 * (i / 65536) + 7 * (i / 256 % 256) + 3 * (i % 256);
    mean_image.mean.mutable_values<float>()[i] = static_cast<float>(sum % 251) + 0.25f;
  }
  const Preprocessing by_picture{{squash, bgr, mean_image, crop}};
  for (const Json& c : golden("golden.json", "caffe")) {
    const Image picture = known_picture_of(c);
    SCOPED_TRACE(fmt::format("{} x {}", picture.width, picture.height));
    EXPECT_EQ(sha256(preprocess(by_value, picture).bytes()), c["values"]);
    EXPECT_EQ(sha256(preprocess(by_picture, picture).bytes()), c["picture"]);
  }
}

TEST(Golden, TwoTapResizeIsWithinOneOfOpenCv) {
  for (const Json& c : golden("golden.json", "two_taps")) {
    const Image resized = resize(known_picture(c["from"][0], c["from"][1]), c["to"][0], c["to"][1], {.antialias = false});
    const std::string hex = c["rgb"];
    ASSERT_EQ(2 * resized.pixels.size(), hex.size());
    int largest = 0;
    for (std::size_t i = 0; i < resized.pixels.size(); ++i) {
      largest = std::max(largest, std::abs(resized.pixels[i] - std::stoi(hex.substr(2 * i, 2), nullptr, 16)));
    }
    EXPECT_LE(largest, 1) << c["from"] << " to " << c["to"];
  }
}

TEST(Golden, OpenCvResizeIsOpenCvs) {
  for (const Json& c : golden("golden.json", "two_taps")) {
    const Image source = known_picture(c["from"][0], c["from"][1]);
    const int width = c["to"][0];
    const int height = c["to"][1];
    const ResampleOptions options{.filter = ResampleFilterKind::opencv_linear};
    const std::string hex = c["rgb"];
    std::vector<std::uint8_t> wanted;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      wanted.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    EXPECT_EQ(resize(source, width, height, options).pixels, wanted) << c["from"] << " to " << c["to"];
    const Image part = resize_part(source, width, height, {.x = 1, .y = 1, .width = width - 2, .height = 1}, options);
    const auto row = wanted.begin() + 3 * width + 3;
    EXPECT_TRUE(std::equal(part.pixels.begin(), part.pixels.end(), row)) << c["from"] << " to " << c["to"];
  }
}

TEST(Golden, EveryPhotographGivesTorchvisionsBits) {
  ALEXNET_NEEDS_SHARED_DATA();
  if (!has_reference_jpeg()) GTEST_SKIP() << "needs libjpeg-turbo";
  for (const Json& c : golden("photos.json", "photos")) {
    const std::string file = c["file"];
    const Decoded decoded = decode(read_file(test::shared_path("data/photos/" + file)), {}, file);
    EXPECT_EQ(sha256_of(decoded.image.pixels), c["rgb"]) << file;
    EXPECT_EQ(sha256(preprocess(torchvision(256, 224), decoded.image).bytes()), c["tensor224"]) << file;
    EXPECT_EQ(sha256(preprocess(torchvision(256, 227), decoded.image).bytes()), c["tensor227"]) << file;
  }
}

}  // namespace
}  // namespace alexnet
