#include "tasks/evaluate.h"

#include <fstream>
#include <limits>
#include <numeric>

#include <nlohmann/json.hpp>

#include "tasks/agreement.h"
#include "tasks/statistics.h"
#include "tests/pictures.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

// Measures by other implementations (tools/make_evaluation_golden.py).
const nlohmann::json& golden() {
  static const auto json = nlohmann::json::parse(std::ifstream(test::source_path("tests/golden/tasks/evaluation.json")));
  return json;
}

Classification answer(std::int64_t target, const std::vector<std::int64_t>& classes, const std::vector<double>& probabilities) {
  Classification record{.path = "x.jpg", .target = target, .error = {}, .top = {}, .logits = {}, .notes = {}};
  for (std::size_t i = 0; i < classes.size(); ++i) record.top.push_back({classes[i], probabilities[i]});
  return record;
}

Evaluation evaluated_golden(std::size_t mistakes = 0) {
  Evaluation evaluation({.classes = golden()["classes"], .mistakes = mistakes});
  for (std::size_t i = 0; i < golden()["targets"].size(); ++i) {
    add(evaluation, answer(golden()["targets"][i], golden()["answers"][i], golden()["probabilities"][i]));
  }
  return evaluation;
}

TEST(Evaluate, CountsAsScikitLearn) {
  const Evaluation found = evaluated_golden();
  ASSERT_EQ(found.all.pictures, 400u);
  EXPECT_DOUBLE_EQ(static_cast<double>(found.all.top1) / 400, golden()["top1"].get<double>());
  EXPECT_DOUBLE_EQ(static_cast<double>(found.all.top5) / 400, golden()["top5"].get<double>());
  for (std::int64_t target = 0; target < found.options.classes; ++target) {
    const auto row = golden()["confusion"][static_cast<std::size_t>(target)].get<std::vector<std::uint64_t>>();
    const Tally& tally = found.of_class[static_cast<std::size_t>(target)];
    EXPECT_EQ(tally.pictures, std::accumulate(row.begin(), row.end(), std::uint64_t{0})) << target;
    for (std::int64_t predicted = 0; predicted < found.options.classes; ++predicted) {
      const auto at = found.wrong.find({target, predicted});
      const std::uint64_t count = target == predicted ? tally.top1 : at == found.wrong.end() ? 0 : at->second;
      EXPECT_EQ(count, row[static_cast<std::size_t>(predicted)]) << target << " taken for " << predicted;
    }
  }
}

TEST(Evaluate, CalibrationErrorIsThatOfTorchmetrics) {
  // The probabilities are stored with 9 digits; torchmetrics sums in float32.
  EXPECT_NEAR(expected_calibration_error(evaluated_golden().calibration), golden()["expected_calibration_error"].get<double>(),
              1e-6);
}

TEST(Evaluate, PutsEachProbabilityInItsBin) {
  struct Case {
    double probability;
    std::size_t bin;
  };
  for (const auto& [probability, bin] :
       {Case{0, 0}, Case{1e-9, 0}, Case{0.0666, 0}, Case{0.0667, 1}, Case{0.5, 7}, Case{0.9333, 13}, Case{0.9334, 14}, Case{1, 14},
        Case{1 + 1e-9, 14}, Case{std::numeric_limits<double>::quiet_NaN(), 0}}) {
    Evaluation evaluation({.classes = 2});
    add(evaluation, answer(1, {1, 0}, {probability, 1 - probability}));
    EXPECT_EQ(evaluation.calibration[bin].pictures, 1u) << probability;
  }
}

TEST(Evaluate, HasNoErrorWhereItIsAsSureAsItIsRight) {
  Evaluation evaluation({.classes = 2});
  for (int i = 0; i < 10; ++i) add(evaluation, answer(i < 7 ? 1 : 0, {1, 0}, {0.7, 0.3}));
  EXPECT_NEAR(expected_calibration_error(evaluation.calibration), 0, 1e-7) << "0.7 as a 32-bit float";
  EXPECT_TRUE(std::isnan(expected_calibration_error(Evaluation({.classes = 2}).calibration)));
}

TEST(Evaluate, AnAnswerThatIsNoNumberIsWrong) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Evaluation evaluation({.classes = 3, .mistakes = 4});
  add(evaluation, answer(0, {0, 1, 2}, {nan, nan, nan}));
  EXPECT_EQ(evaluation.all.pictures, 1u);
  EXPECT_EQ(evaluation.all.top1, 0u);
  EXPECT_EQ(evaluation.all.top5, 0u);
  EXPECT_TRUE(evaluation.mistakes.empty());
}

TEST(Evaluate, FailuresAreCountedApartAndListedUpToALimit) {
  Evaluation evaluation({.classes = 2});
  for (std::size_t i = 0; i < kListedFailures + 5; ++i) {
    Classification record = answer(0, {}, {});
    record.error = Error(ErrorKind::truncated, "x.jpg", "ends too early");
    add(evaluation, record);
  }
  EXPECT_EQ(evaluation.failed, kListedFailures + 5);
  EXPECT_EQ(evaluation.failures.size(), kListedFailures);
  EXPECT_EQ(evaluation.all.pictures, 0u);
}

TEST(Evaluate, KeepsTheMostConfidentMistakes) {
  const Evaluation all = evaluated_golden(/*mistakes=*/1000);
  const Evaluation few = evaluated_golden(/*mistakes=*/7);
  EXPECT_EQ(all.mistakes.size(), all.all.pictures - all.all.top1);
  ASSERT_EQ(few.mistakes.size(), 7u);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(few.mistakes[i].top[0].probability, all.mistakes[i].top[0].probability) << i;
    EXPECT_NE(few.mistakes[i].top[0].index, few.mistakes[i].target) << i;
    EXPECT_GE(all.mistakes[i].top[0].probability, all.mistakes[i + 1].top[0].probability) << i;
  }
}

TEST(Evaluate, OrdersConfusionsByCountAndClassesByAccuracy) {
  const Evaluation found = evaluated_golden();
  const auto pairs = most_confused(found, 5);
  ASSERT_EQ(pairs.size(), 5u);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_GE(pairs[i - 1].pictures, pairs[i].pictures);
  for (const auto& [target, predicted, pictures] : pairs) {
    EXPECT_EQ(golden()["confusion"][static_cast<std::size_t>(target)][static_cast<std::size_t>(predicted)], pictures);
  }
  const auto order = by_accuracy(found);
  const auto accuracy = [&](std::int64_t i) {
    const Tally& tally = found.of_class[static_cast<std::size_t>(i)];
    return static_cast<double>(tally.top1) / static_cast<double>(tally.pictures);
  };
  ASSERT_EQ(order.size(), 12u);
  for (std::size_t i = 1; i < order.size(); ++i) EXPECT_LE(accuracy(order[i - 1]), accuracy(order[i]));
}

TEST(Statistics, WilsonIntervalIsThatOfSciPy) {
  for (const auto& one : golden()["intervals"]) {
    const Interval found = wilson_interval(one["hits"], one["trials"]);
    EXPECT_NEAR(found.low, one["low"].get<double>(), 1e-12) << one;
    EXPECT_NEAR(found.high, one["high"].get<double>(), 1e-12) << one;
  }
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

TEST(Statistics, McNemarIsThatOfStatsmodels) {
  for (const auto& one : golden()["mcnemar"]) {
    const McNemar found = mcnemar(one["first"], one["second"]);
    EXPECT_EQ(found.exact, one["exact"].get<bool>()) << one;
    EXPECT_NEAR(found.p_value, one["p_value"].get<double>(), 1e-12) << one;
  }
}

TEST(Evaluate, RunsANetworkOverALabelledSet) {
  const Model model = test::tiny_model();
  const test::TemporaryFolder folder;
  const auto network = compile_for_scores(model, {.threads = 1}).network;
  std::string list;
  for (int i = 0; i < 9; ++i) {
    folder.write(fmt::format("{}.ppm", i), i == 4 ? "broken" : test::noise_ppm(40, 40, static_cast<unsigned>(i)));
    list += fmt::format("{},{}\n", (folder.path() / fmt::format("{}.ppm", i)).string(), i % 10);
  }
  const LabelledSet set(folder.write("list.csv", list).string(), ClassNames(model.labels, 10));
  Evaluation evaluation({.classes = 10});
  std::vector<Classification> records;
  const auto totals = evaluate(network, model.preprocessing, set.pictures(nullptr), {.batch = 4}, evaluation,
                               [&](std::span<Classification> batch) { records.insert(records.end(), batch.begin(), batch.end()); });
  EXPECT_EQ(totals.pictures, 9u);
  EXPECT_EQ(evaluation.failed, 1u);
  EXPECT_EQ(evaluation.all.pictures, 8u);
  ASSERT_EQ(records.size(), 9u);
  std::uint64_t right = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(records[i].target, static_cast<std::int64_t>(i));
    if (!records[i].error) right += records[i].top[0].index == records[i].target ? 1 : 0;
  }
  EXPECT_EQ(evaluation.all.top1, right);
}

}  // namespace
}  // namespace alexnet
