#include "alexnet/alexnet.h"

#include <thread>

#include "base/file.h"
#include "tests/pictures.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

TEST(Classifier, GivesLabelsLogitsAndFeaturesOfFilesAndBytes) {
  const test::TemporaryFolder folder;
  const auto picture = folder.write("a.ppm", test::noise_ppm(50, 40, 1));
  const auto classifier = Classifier::load(test::write_tiny_model(folder.path()), {.threads = 2, .layers = {"conv1", "fc4"}});
  EXPECT_EQ(classifier.classes(), 10u);
  EXPECT_EQ(classifier.input_shape(), (std::vector<std::int64_t>{3, 32, 32}));
  EXPECT_EQ(classifier.shape("conv1"), (std::vector<std::int64_t>{16, 14, 14}));

  const auto answers = classifier.classify(picture, 3);
  ASSERT_EQ(answers.size(), 3u);
  const auto logits = classifier.logits(picture);
  ASSERT_EQ(logits.size(), 10u);
  const auto largest = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  EXPECT_EQ(answers[0].index, largest);
  EXPECT_EQ(answers[0].label, fmt::format("thing {}, \"quoted\"", largest));
  EXPECT_EQ(answers[0].id, fmt::format("n0000000{}", largest));
  EXPECT_GT(answers[0].probability, answers[1].probability);
  EXPECT_EQ(classifier.features(picture, "fc4"), logits);
  EXPECT_EQ(classifier.features(picture, "conv1").size(), 16u * 14 * 14);

  const auto bytes = read_file(picture);
  EXPECT_EQ(classifier.logits(bytes), logits);
  EXPECT_EQ(classifier.classify(bytes, 99).size(), 10u) << "not more than there are";
  EXPECT_EQ(classifier.features(bytes, "fc4"), logits);
}

TEST(Classifier, KeepsWhatWasPreparedOnlyWhereItIsTold) {
  const test::TemporaryFolder folder;
  const auto picture = folder.write("a.ppm", test::noise_ppm(50, 40, 1));
  const auto model = test::write_tiny_model(folder.path());
  const auto cache = folder.path() / "cache";
  const auto logits = Classifier::load(model, {.threads = 1}).logits(picture);
  EXPECT_FALSE(std::filesystem::exists(cache));
  for (int time = 0; time < 2; ++time) {
    const auto classifier = Classifier::load(model, {.threads = 1, .cache_folder = cache});
    EXPECT_EQ(classifier.logits(picture), logits);
    EXPECT_FALSE(std::filesystem::is_empty(cache));
  }
}

TEST(Classifier, ReportsWhatIsWrong) {
  const test::TemporaryFolder folder;
  const auto classifier = Classifier::load(test::write_tiny_model(folder.path()), {.threads = 1, .max_pixels = 100});
  struct Case {
    std::function<void()> action;
    ErrorKind kind;
    std::string message;
  };
  const std::string large = folder.write("large.ppm", test::noise_ppm(11, 11, 1)).string();
  const std::vector<Case> cases = {
      {[] { Classifier::load("/nowhere/model"); }, ErrorKind::model, "/nowhere/model: can't be opened: No such file or directory"},
      {[&] { Classifier::load(large); }, ErrorKind::model, ""},
      {[&] { classifier.classify("/nowhere/picture.jpg"); }, ErrorKind::not_found,
       "/nowhere/picture.jpg: can't be opened: No such file or directory"},
      {[&] { classifier.classify(large); }, ErrorKind::too_large, ""},
      {[&] { classifier.classify(std::span<const std::byte>{}); }, ErrorKind::empty, ""},
      {[&] { classifier.features(large, "conv1"); }, ErrorKind::usage,
       "layer 'conv1': is not among those that were asked for (name it in ClassifierOptions::layers)"},
      {[&] { Classifier::load(folder.path() / "tiny.safetensors", {.layers = {"conv9"}}); }, ErrorKind::usage, ""},
  };
  for (const auto& [action, kind, message] : cases) {
    try {
      action();
      ADD_FAILURE() << "nothing was thrown for " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_THAT(error.what(), testing::StartsWith(message));
    }
  }
}

TEST(Classifier, IsSharedByThreads) {
  const test::TemporaryFolder folder;
  const auto classifier = Classifier::load(test::write_tiny_model(folder.path()), {.threads = 1});
  std::vector<std::filesystem::path> pictures;
  std::vector<std::vector<float>> expected;
  for (unsigned i = 0; i < 4; ++i) {
    pictures.push_back(folder.write(fmt::format("{}.ppm", i), test::noise_ppm(40, 50, i)));
    expected.push_back(classifier.logits(pictures.back()));
  }
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t round = 0; round < 8; ++round) {
        const std::size_t which = (i + round) % 4;
        if (classifier.logits(pictures[which]) != expected[which]) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Version, IsThatOfTheProject) { EXPECT_THAT(std::string(version()), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+")); }

}  // namespace
}  // namespace alexnet
