#include "image/resample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alexnet/error.h"
#include "image/resample_filter.h"
#include "tests/image/picture.h"

namespace alexnet {
namespace {

using test::known_picture;
using test::sha256_of;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

// The red channel, which is the grey one of the known answers.
std::vector<int> reds(const Image& image) {
  std::vector<int> result;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) result.push_back(image.pixels[i]);
  return result;
}

std::vector<std::int32_t> weights_of(const ResampleFilter& filter, std::size_t output) {
  const Taps& taps = filter.taps[output];
  const auto begin = filter.weights.begin() + static_cast<std::ptrdiff_t>(taps.weight);
  return {begin, begin + taps.count};
}

TEST(ResampleFilter, HasPillowsWeights) {
  struct Case {
    int from;
    int to;
    std::vector<int> first;
    std::vector<std::vector<std::int32_t>> weights;
  };
  const Case cases[] = {
      {9,
       5,
       {0, 1, 3, 5, 6},
       {{2097152, 1797559, 299593},
        {786432, 2097152, 1310720, 0},
        {986895, 2220514, 986895},
        {1310720, 2097152, 786432},
        {299593, 1797559, 2097152}}},
      {7,
       4,
       {0, 1, 3, 4},
       {{2197016, 1797559, 199729}, {838861, 2181038, 1174405}, {1174405, 2181038, 838861}, {199729, 1797559, 2197016}}},
      {3, 5, {0, 0, 1, 1, 2}, {{4194304}, {2516582, 1677722}, {4194304, 0}, {1677722, 2516582}, {4194304}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(fmt::format("{} to {}", c.from, c.to));
    const auto filter = make_resample_filter(c.from, c.to, 0, c.to, /*antialias=*/true);
    for (std::size_t i = 0; i < c.weights.size(); ++i) {
      EXPECT_EQ(filter.taps[i].first, c.first[i]) << "output " << i;
      EXPECT_THAT(weights_of(filter, i), ElementsAreArray(c.weights[i])) << "output " << i;
    }
  }
}

TEST(ResampleFilter, OfSomeOutputsIsThatPartOfAll) {
  const auto all = make_resample_filter(375, 256, 0, 256, true);
  const auto part = make_resample_filter(375, 256, 15, 227, true);
  for (std::size_t i = 0; i < 227; ++i) {
    EXPECT_EQ(part.taps[i].first, all.taps[i + 15].first);
    EXPECT_EQ(weights_of(part, i), weights_of(all, i + 15));
  }
}

TEST(Resize, GivesPillowsGreys) {
  EXPECT_THAT(reds(resize(known_picture(9, 7), 5, 4)), ElementsAre(72, 131, 127, 150, 114,   //
                                                                   145, 146, 147, 133, 138,  //
                                                                   116, 128, 143, 129, 130,  //
                                                                   104, 109, 167, 131, 160));
}

TEST(Resize, PassOrderChangesBits) {
  std::vector<int> vertical_first{90,  126, 146, 129, 144,  //
                                  110, 133, 145, 149, 136,  //
                                  121, 122, 133, 171, 154,  //
                                  140, 161, 143, 98,  136,  //
                                  140, 117, 106, 101, 114,  //
                                  150, 115, 95,  126, 120,  //
                                  120, 104, 88,  118, 128,  //
                                  117, 134, 111, 87,  104};
  const Image picture = known_picture(6, 20);
  EXPECT_EQ(reds(resize(picture, 5, 8)), vertical_first);

  auto horizontal_first = vertical_first;
  horizontal_first[2 * 5 + 3] = 170;
  horizontal_first[6 * 5 + 4] = 127;
  EXPECT_EQ(reds(resize(picture, 5, 8, {.pass_order = PassOrder::horizontal_first})), horizontal_first);
  EXPECT_EQ(reds(resize(picture, 5, 8, {.pass_order = PassOrder::pillow12_2})), horizontal_first);
}

TEST(Resize, GivesPillowsColours) {
  struct Case {
    int width, height, new_width, new_height;
    const char* sha256;
    PassOrder order = PassOrder::pillow13;
  };
  const Case cases[] = {
      {500, 375, 341, 256, "536a8be7d1862125266d058c18943e45"},
      {300, 700, 256, 597, "0cf709eb9224d91d3da12b838c5db0d9"},
      {300, 700, 256, 597, "4e407109c02e4fa7afcce487471d24ff", PassOrder::horizontal_first},
      {64, 64, 256, 256, "221f12a32a2f148d73e647c0ee15fccb"},
      {224, 224, 256, 256, "449dfd8f83d66168947a05e058154ff3"},
      {256, 256, 256, 256, "7e4a962ee363a5522f3ed0938ac7ed3e"},
  };
  for (const auto& c : cases) {
    const Image resized = resize(known_picture(c.width, c.height), c.new_width, c.new_height, {.pass_order = c.order});
    EXPECT_EQ(sha256_of(resized.pixels).substr(0, 32), c.sha256) << c.width << " x " << c.height;
  }
}

TEST(ResizePart, IsThatPartOfTheWhole) {
  struct Case {
    int width, height, new_width, new_height;
    Rectangle part;
  };
  const Case cases[] = {
      {50, 37, 34, 25, {5, 1, 22, 23}},   // shrinking
      {30, 90, 20, 60, {0, 17, 20, 20}},  // shrinking, vertical pass first
      {9, 7, 33, 26, {32, 25, 1, 1}},     // enlarging
      {40, 40, 40, 13, {3, 2, 30, 9}},    // one axis kept
      {40, 40, 13, 40, {3, 2, 9, 30}},    // the other
      {12, 12, 12, 12, {3, 4, 5, 6}},     // both
  };
  for (const auto& c : cases) {
    const Image picture = known_picture(c.width, c.height);
    const Image whole = resize(picture, c.new_width, c.new_height);
    const Image part = resize_part(picture, c.new_width, c.new_height, c.part);
    ASSERT_EQ(part.width, c.part.width);
    ASSERT_EQ(part.height, c.part.height);
    const ImageView expected = ImageView(whole).rectangle(c.part.x, c.part.y, c.part.width, c.part.height);
    for (int y = 0; y < part.height; ++y) {
      EXPECT_TRUE(std::equal(expected.row(y), expected.row(y) + 3 * part.width, ImageView(part).row(y)))
          << c.width << " x " << c.height << ", row " << y;
    }
  }
}

TEST(Resize, RefusesMorePixelsThanItsLimit) {
  const auto message = [](const Image& picture, int width, int height, PassOrder order) -> std::string {
    try {
      resize(picture, width, height, {.pass_order = order});
    } catch (const Error& error) {
      return fmt::format("{}: {}", name(error.kind()), error.what());
    }
    return "no error";
  };
  EXPECT_THAT(message(known_picture(1, 1), 20'000, 20'000, PassOrder::pillow13),
              HasSubstr("too_large: resizing would make a picture of 20000 x 20000 pixels; at most 178956970 are allowed"));
  EXPECT_THAT(message(known_picture(1, 1), 1 << 25, 1, PassOrder::pillow13), HasSubstr("and 16777216 along a side"));
  // Small at both ends, but not between the passes.
  EXPECT_THAT(message(known_picture(1, 1 << 20), 256, 256, PassOrder::horizontal_first), HasSubstr("256 x 1048576"));
}

}  // namespace
}  // namespace alexnet
