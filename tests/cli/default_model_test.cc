// The embedded model on real photographs, as after installation: no model is named, no file lies beside the command.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "model/embedded_model.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

using test::lines;
using test::run;

TEST(DefaultModel, ClassifiesFromAnywhere) {
  ASSERT_FALSE(embedded_model().empty());
  const std::string coffee = test::source_path("data/coffee.jpg").string();
  const auto result = run({"classify", "-f", "jsonl", "-k", "1", coffee}, {.folder = "/"});
  EXPECT_EQ(result.exit_code, 0) << result;
  EXPECT_EQ(result.err, "");
  const Json best = Json::parse(result.out)["top"][0];
  EXPECT_EQ(best["label"], "espresso");
  EXPECT_EQ(best["id"], "n07920052");
  EXPECT_GT(best["probability"].get<double>(), 0.9);
}

TEST(DefaultModel, TakesAnotherPreprocessing) {
  const std::string coffee = test::source_path("data/coffee.jpg").string();
  const auto data = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"features", "-q", "--layer", "data", "-f", "csv", coffee};
    words.insert(words.end(), more.begin(), more.end());
    const auto result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result;
    return result.out;
  };
  EXPECT_EQ(data({}), data({"--preprocess", "torchvision"})) << "it is a network of torchvision's";
  EXPECT_NE(data({}), data({"--preprocess", "tensorflow"}));
}

TEST(DefaultModel, InInt8IsWithinItsToleranceAndBeyondThatOfF32) {
  const test::TemporaryFolder folder;
  const auto dump = [&](const char* precision) {
    const std::string file = folder.path() / fmt::format("{}.npz", precision);
    const auto result = run({"features", "-q", "--precision", precision, "--layer",
                             "data,conv1,norm1,conv2,conv3,conv5,fc6,fc8,prob", "-o", file, test::source_path("data").string()});
    EXPECT_EQ(result.exit_code, 0) << result;
    return file;
  };
  const auto compared = [&](const char* precision, const std::string& reference) {
    return run({"compare", "--precision", precision, "--reference", reference});
  };
  const auto good = compared("int8", dump("f32"));
  EXPECT_EQ(good.exit_code, 0) << good;
  const auto beyond = compared("f32", dump("int8"));
  EXPECT_EQ(beyond.exit_code, 4) << beyond;
}

void expect_same_bytes(const std::string& folder, std::size_t pictures) {
  const auto expected = run({"classify", "-f", "jsonl", "--logits", "--threads", "1", "--batch", "1", folder});
  EXPECT_EQ(expected.exit_code, 0) << expected.err;
  EXPECT_EQ(lines(expected.out).size(), pictures);
  for (const auto& [threads, batch] : {std::pair{"1", "7"}, std::pair{"2", "1"}, std::pair{"2", "7"}, std::pair{"2", "32"}}) {
    const auto found = run({"classify", "-f", "jsonl", "--logits", "--threads", threads, "--batch", batch, folder});
    EXPECT_TRUE(found.out == expected.out) << folder << ": threads " << threads << ", batch " << batch;
  }
}

TEST(DefaultModel, GivesTheSameBytesForAnyThreadCountAndBatch) { expect_same_bytes(test::source_path("data").string(), 5); }

TEST(DefaultModel, GivesTheSameBytesForAnyThreadCountAndBatchOnPhotographs) {
  ALEXNET_NEEDS_SHARED_DATA();
  expect_same_bytes(test::shared_path("data/photos").string(), 48);
}

TEST(DefaultModel, AgreesWithItsGoldenLogits) {
  const auto result = run({"inspect", "--check"});
  EXPECT_EQ(result.exit_code, 0) << result;
}

TEST(DefaultModel, GoesOnBehindBrokenFilesAmongPhotographs) {
  ALEXNET_NEEDS_SHARED_DATA();
  const test::TemporaryFolder folder;
  int good = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::shared_path("data/photos"))) {
    if (++good > 8) break;
    std::filesystem::create_symlink(std::filesystem::absolute(entry.path()), folder.path() / entry.path().filename());
  }
  folder.write("a.jpg", "");
  folder.write("n02.jpg", "no picture");
  folder.write("z.png", "\x89PNG\r\n\x1a\n");
  const auto result = run({"classify", "-f", "jsonl", folder.path().string()});
  EXPECT_EQ(result.exit_code, 1) << result;
  std::vector<std::string> paths;
  int usable = 0;
  for (const auto& line : lines(result.out)) {
    const Json record = Json::parse(line);
    paths.push_back(record["path"]);
    if (record.contains("top")) ++usable;
  }
  EXPECT_EQ(paths.size(), 11u);
  EXPECT_EQ(usable, 8);
  EXPECT_TRUE(std::is_sorted(paths.begin(), paths.end()));
}

}  // namespace
}  // namespace alexnet
