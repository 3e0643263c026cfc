#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "image/preprocess.h"
#include "tensor/contrast.h"

namespace alexnet {
namespace {

constexpr std::int64_t kHeight = 5;
constexpr std::int64_t kWidth = 7;
const Shape kMaps{3, kHeight, kWidth};

Image picture() {
  Image image{.width = kWidth, .height = kHeight, .pixels = {}};
  for (int i = 0; i < 3 * kWidth * kHeight; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 89 % 251));
  return image;
}

std::vector<float> after(const Step& step) {
  const Tensor result = preprocess({{step}}, picture());
  return {result.values<float>().begin(), result.values<float>().end()};
}

// The picture's bytes as planes.
std::vector<float> raw() { return after(Divide{.by = 1}); }

ZcaStep whitening() {
  Covariance covariance(3);
  const auto x = raw();
  const std::size_t area = kHeight * kWidth;
  for (std::size_t i = 0; i < area; ++i) covariance.add(std::vector<float>{x[i], x[area + i], x[2 * area + i]});
  return {.matrix = "w", .mean = "m", .whitening = zca(covariance, 0.1)};
}

TEST(ContrastSteps, ComputeWhatTheSharedArithmeticDoes) {
  const auto x = raw();
  std::vector<float> y(x.size());
  normalise_global_contrast({55, 10, 1e-8}, x, y);
  EXPECT_EQ(after(GlobalContrastStep{.scale = 55, .lambda = 10}), y);
  for (const bool across : {false, true}) {
    normalise_local_contrast({3, 1, across}, 1e-4, kMaps, x, y);
    EXPECT_EQ(after(LocalContrastStep{.local_size = 3, .sigma = 1, .across_channels = across}), y);
    subtract_local_mean({3, 1, across}, kMaps, x, y);
    EXPECT_EQ(after(LocalMeanStep{.local_size = 3, .sigma = 1, .across_channels = across}), y);
  }
  whiten(whitening().whitening, kMaps, x, y);
  EXPECT_EQ(after(whitening()), y);
}

TEST(ContrastSteps, ReadTheJsonThatTheyWrite) {
  Preprocessing steps{
      {GlobalContrastStep{55, 10, 1e-3}, LocalContrastStep{5, 1.5, true, 1e-3}, LocalMeanStep{3, 1, true}, whitening()}};
  const Json json = to_json(steps);
  EXPECT_EQ(json.dump(), R"([{"step":"gcn","scale":55.0,"lambda":10.0,"epsilon":0.001},)"
                         R"({"step":"lcn","local_size":5,"sigma":1.5,"across_channels":true,"epsilon":0.001},)"
                         R"({"step":"local_mean_subtraction","local_size":3,"sigma":1.0,"across_channels":true},)"
                         R"({"step":"zca","matrix":"w","mean":"m"}])");
  EXPECT_TRUE(preprocessing_from_json(json, "test") == steps);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors(steps)) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("w", "m"));
}

TEST(ContrastSteps, RefuseWhatMakesNoSense) {
  const auto refused = [](const auto& action) -> std::string {
    try {
      action();
      return "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      return error.message();
    }
  };
  const auto checked = [&](const Step& step) { return refused([&] { check(Preprocessing{{step}}, "test"); }); };
  EXPECT_EQ(checked(GlobalContrastStep{.lambda = -1}), "has a lambda of -1, which is negative");
  EXPECT_EQ(checked(GlobalContrastStep{.epsilon = -1}), "has an epsilon of -1, which is negative");
  EXPECT_EQ(checked(LocalContrastStep{.local_size = 4}), "the size of the neighbourhood is 4, must be odd and between 1 and 65536");
  EXPECT_EQ(checked(LocalContrastStep{.epsilon = -1}), "has an epsilon of -1, which is negative");
  EXPECT_EQ(checked(LocalMeanStep{.sigma = 0}), "sigma is 0, must be positive");
  EXPECT_EQ(checked(ZcaStep{}), "needs the names of a 'matrix' and of a 'mean'");
  EXPECT_EQ(checked(ZcaStep{.matrix = "a", .mean = "a", .whitening = {}}), "needs the names of a 'matrix' and of a 'mean'");
  ZcaStep other = whitening();
  other.whitening.mean = Tensor::zeros({2});
  EXPECT_EQ(refused([&] { after(other); }),
            "whitening matrix 'w' is 3x3 of F32 and mean 'm' is 2 of F32, must be n x n and n of F32");
  other.whitening = {.matrix = Tensor::zeros({2, 2}), .mean = Tensor::zeros({2})};
  EXPECT_EQ(refused([&] { after(other); }), "the whitening matrix is 2x2, must have a row for each channel or each value of 3x5x7");
}

}  // namespace
}  // namespace alexnet
