// The embedded default model: what it holds, and that the engine computes what PyTorch computes from the same file.
#include <algorithm>
#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "image/decode.h"
#include "model/accuracy.h"
#include "model/embedded_model.h"
#include "model/model_file.h"
#include "runtime/network.h"
#include "tests/support.h"

namespace alexnet {
namespace {

const Model& model() {
  static const Model kModel = read_model(embedded_model(), nullptr, "embedded model");
  return kModel;
}

// The scores of a preprocessed picture, computed in f32.
std::vector<float> scores(const Tensor& data) {
  static const auto kNetwork = compile(model(), {.precision = Precision::f32, .keep = {logits_name(model().graph)}});
  Session session(kNetwork);
  std::vector<float> probabilities(200);
  std::vector<float> logits(200);
  EXPECT_EQ(kNetwork->outputs().back().name, "fc8");
  session.run(1, std::array{data.values<float>()}, std::array{std::span(probabilities), std::span(logits)});
  return logits;
}

std::size_t best(std::span<const float> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

// Float64 sums against sums of up to 9,216 products in f32; 1e-5 of the largest score is what the project promises.
void expect_close(std::span<const float> found, std::span<const float> wanted, const std::string& what) {
  ASSERT_EQ(found.size(), wanted.size()) << what;
  float largest = 0;
  float off = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::fabs(wanted[i]));
    off = std::max(off, std::fabs(found[i] - wanted[i]));
  }
  EXPECT_LE(off, 1e-5f * largest) << what;
  EXPECT_EQ(best(found), best(wanted)) << what;
}

void expect_golden(const std::string& golden, const std::filesystem::path& folder) {
  if (!jpeg_decoder().starts_with("libjpeg-turbo")) GTEST_SKIP() << "stb_image decodes JPEG to other bytes than the reference";
  const auto file = read_safetensors(test::source_path("tests/golden/model/" + golden));
  const auto logits = file.tensors.at(0).tensor.values<float>();
  const Json pictures = Json::parse(file.metadata.at("pictures"));
  ASSERT_EQ(pictures.size() * 200, logits.size());
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto path = folder / pictures[i].get<std::string>();
    const Image image = decode(read_file(path), {}, path.string()).image;
    expect_close(scores(preprocess(model().preprocessing, image)), logits.subspan(i * 200, 200), path.filename().string());
  }
}

TEST(DefaultModel, HoldsWhatItsCardSays) {
  EXPECT_LE(embedded_model().size(), 17'000'000u);
  EXPECT_EQ(model().labels.size(), 200u);
  EXPECT_EQ(class_count(model().graph), 200);
  for (const char* name : {"conv1", "conv2", "conv3", "conv4", "conv5"}) {
    EXPECT_EQ(model().weights.at(fmt::format("{}.weight", name)).storage, Storage::f16) << name;
  }
  for (const char* name : {"fc6", "fc7", "fc8"}) {
    EXPECT_EQ(model().weights.at(fmt::format("{}.weight", name)).storage, Storage::int8_sparse) << name;
  }
  const Accuracy accuracy = accuracy_from_json(Json::parse(model().accuracy));
  ASSERT_TRUE(accuracy.source);
  EXPECT_LE(accuracy.source->top1 - accuracy.precisions.at("f32").top1, 0.5);
  EXPECT_LE(accuracy.source->top5 - accuracy.precisions.at("f32").top5, 0.5);
}

TEST(DefaultModel, IsTheFileInModels) {
  const auto file = read_file(test::source_path("models/alexnet-tiny200.safetensors"));
  EXPECT_TRUE(std::ranges::equal(file, embedded_model()));
}

TEST(DefaultModel, GivesItsGoldenLogits) {
  ASSERT_TRUE(model().golden);
  const Tensor& input = model().golden->input;
  const auto bytes = input.values<std::uint8_t>();
  const Image picture{.width = static_cast<int>(input.shape()[1]),
                      .height = static_cast<int>(input.shape()[0]),
                      .pixels = {bytes.begin(), bytes.end()}};
  expect_close(scores(preprocess(model().preprocessing, picture)), model().golden->logits.values<float>(), "golden input");
}

TEST(DefaultModel, GivesPyTorchsScoresForTheSamplePhotographs) { expect_golden("samples.safetensors", test::source_path("data")); }

TEST(DefaultModel, GivesPyTorchsScoresForPhotographs) {
  ALEXNET_NEEDS_SHARED_DATA();
  expect_golden("photos.safetensors", test::shared_path("data/photos"));
}

}  // namespace
}  // namespace alexnet
