#include "tasks/classify.h"

#include "tasks/features.h"
#include "tests/pictures.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

class Classify : public testing::Test {
 protected:
  // Seven pictures of different sizes; 2 and 5 can't be used.
  void SetUp() override {
    for (int i = 0; i < 7; ++i) {
      const std::string bytes = test::noise_ppm(40 + 7 * i, 60 - 5 * i, static_cast<unsigned>(i));
      paths_.push_back(folder_.write(fmt::format("{}.ppm", i), i == 2 ? "P6\n50" : i == 5 ? "" : bytes).string());
    }
  }

  std::vector<Classification> records(const ClassifyOptions& options, int threads = 2) {
    const auto network = compile_for_scores(model_, {.threads = threads}).network;
    PictureSource source(paths_, {});
    std::vector<Classification> all;
    totals_ = classify(
        network, model_.preprocessing, [&](PictureInput& input, bool wait) { return source.next(input, wait); }, options,
        [&](std::span<Classification> batch) {
          EXPECT_LE(static_cast<int>(batch.size()), options.pictures.batch);
          all.insert(all.end(), batch.begin(), batch.end());
        });
    return all;
  }

  const Model model_ = test::tiny_model();
  const test::TemporaryFolder folder_;
  std::vector<std::string> paths_;
  ClassifyTotals totals_;
};

TEST_F(Classify, GivesOneRecordForEachPictureInOrderAndGoesOnBehindBrokenOnes) {
  const auto all = records({.pictures = {.batch = 3}, .top = 4, .logits = true});
  ASSERT_EQ(all.size(), 7u);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(all[i].path, paths_[i]);
    if (i == 2 || i == 5) {
      ASSERT_TRUE(all[i].error.has_value()) << i;
      EXPECT_EQ(all[i].error->kind(), i == 2 ? ErrorKind::truncated : ErrorKind::empty) << all[i].error->what();
      continue;
    }
    ASSERT_FALSE(all[i].error.has_value()) << all[i].error->what();
    EXPECT_EQ(all[i].width, 40 + 7 * static_cast<int>(i));
    EXPECT_EQ(all[i].height, 60 - 5 * static_cast<int>(i));
    ASSERT_EQ(all[i].top.size(), 4u);
    ASSERT_EQ(all[i].logits.size(), 10u);
    const auto largest = std::max_element(all[i].logits.begin(), all[i].logits.end()) - all[i].logits.begin();
    EXPECT_EQ(all[i].top[0].index, largest);
    EXPECT_EQ(all[i].top[0].probability, softmax(all[i].logits)[static_cast<std::size_t>(largest)]);
  }
  EXPECT_EQ(totals_.pictures, 7u);
  EXPECT_EQ(totals_.failed, 2u);
  EXPECT_FALSE(totals_.resources_ran_out);
  EXPECT_FALSE(totals_.stopped);
}

TEST_F(Classify, GivesTheSameBitsForAnyBatchAndThreadCount) {
  const auto expected = records({.pictures = {.batch = 1}, .logits = true}, /*threads=*/1);
  for (const int batch : {2, 3, 7, 64}) {
    for (const int threads : {1, 2, 5}) {
      const auto found = records({.pictures = {.batch = batch}, .logits = true}, threads);
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(found[i].logits, expected[i].logits) << i << ", batch " << batch << ", threads " << threads;
    }
  }
}

TEST_F(Classify, AveragesTheProbabilitiesOfTenCrops) {
  const auto ten = records({.pictures = {.batch = 4, .crops = Crops::ten}, .top = 10});
  // The crops one by one, through the same network.
  const auto network = compile_for_scores(model_, {.threads = 1}).network;
  for (const std::size_t i : {0u, 3u, 6u}) {
    const Tensor crops = preprocess(model_.preprocessing, load_picture(paths_[i], {}, nullptr).image, Crops::ten);
    std::vector<double> mean(10, 0.0);
    for (std::size_t crop = 0; crop < 10; ++crop) {
      const auto input = crops.values<float>().subspan(crop * 3 * 32 * 32, 3 * 32 * 32);
      std::vector<float> scores(10);
      const std::span<float> output = scores;
      Session(network).run(1, {&input, 1}, {&output, 1});
      const auto p = softmax(scores);
      for (std::size_t k = 0; k < 10; ++k) mean[k] += p[k] / 10;
    }
    ASSERT_EQ(ten[i].top.size(), 10u);
    for (const auto& scored : ten[i].top) EXPECT_NEAR(scored.probability, mean[static_cast<std::size_t>(scored.index)], 1e-12);
  }
}

TEST_F(Classify, EndsBetweenBatchesWhenAskedTo) {
  std::atomic<int> stop = 0;
  const auto network = compile_for_scores(model_, {.threads = 1}).network;
  PictureSource source(paths_, {.stop = &stop});
  std::size_t received = 0;
  const auto totals = classify(
      network, model_.preprocessing, [&](PictureInput& input, bool wait) { return source.next(input, wait); },
      {.pictures = {.batch = 2, .stop = &stop}},
      [&](std::span<Classification> batch) {
        received += batch.size();
        stop = 15;
      });
  EXPECT_TRUE(totals.stopped);
  EXPECT_EQ(received, 2u);
}

TEST_F(Classify, RefusesANetworkThatDoesNotTakeWhatItsPreprocessingGives) {
  Model other = test::tiny_model();
  std::get<CenterCrop>(other.preprocessing.steps[1]).size = {30, 30};
  const auto network = compile_for_scores(other, {.threads = 1}).network;
  try {
    PictureBatches batches(network, other.preprocessing, {});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the network takes 3x32x32 as 'data', but its preprocessing gives 3x30x30");
    EXPECT_EQ(error.kind(), ErrorKind::model);
  }
}

TEST_F(Classify, FeaturesAreTheNamedLayersRows) {
  const auto network = compile_named(model_, {"fc3.relu", "data", "fc3", "prob"}, {.threads = 2});
  PictureSource source(paths_, {});
  const auto scores = records({.logits = true});
  std::size_t i = 0;
  const auto totals = features(
      network, model_.preprocessing, [&](PictureInput& input, bool wait) { return source.next(input, wait); }, {.batch = 3},
      [&](const FeatureRecord& record) {
        EXPECT_EQ(record.path, paths_[i]);
        EXPECT_EQ(record.error.has_value(), i == 2 || i == 5);
        if (!record.error) {
          const Tensor data = preprocess(model_.preprocessing, load_picture(paths_[i], {}, nullptr).image);
          ASSERT_EQ(record.values.size(), 4u);
          EXPECT_TRUE(std::ranges::equal(record.values[1], data.values<float>())) << "data is the preprocessed tensor";
          ASSERT_EQ(record.values[0].size(), 64u);
          for (std::size_t k = 0; k < 64; ++k)
            EXPECT_EQ(record.values[0][k], std::max(record.values[2][k], 0.0f)) << "before and after the ReLU";
          const auto p = softmax(scores[i].logits);
          for (std::size_t k = 0; k < 10; ++k) EXPECT_NEAR(record.values[3][k], p[k], 1e-6);
        }
        ++i;
      });
  EXPECT_EQ(totals.pictures, 7u);
  EXPECT_EQ(totals.failed, 2u);
}

TEST_F(Classify, LayersThatAreNotThereAreNamed) {
  const auto refusal = [&](const std::vector<std::string>& layers) -> std::string {
    try {
      compile_named(model_, layers, {.threads = 1});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({"fc3", "fc3.rely"}), "--layer: the network has no layer 'fc3.rely' (did you mean fc3.relu?)");
  EXPECT_EQ(refusal({"something"}),
            "--layer: the network has no layer 'something' (it has data, conv1, conv1.relu, norm1, pool1, conv2, conv2.relu, "
            "pool2, flatten, "
            "fc3, fc3.relu, fc4, prob)");
  EXPECT_EQ(refusal({"fc3", "fc3"}), "--layer: 'fc3' is given twice");
}

}  // namespace
}  // namespace alexnet
