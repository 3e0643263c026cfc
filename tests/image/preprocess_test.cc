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

Preprocessing torchvision(std::int64_t crop) {
  return {{Resize{.shorter = 256, .size = {}}, CenterCrop{.size = {crop, crop}}, Divide{.by = 255},
           Normalize{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}}}};
}

std::vector<float> values(const Tensor& tensor) { return {tensor.values<float>().begin(), tensor.values<float>().end()}; }

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

}  // namespace
}  // namespace alexnet
