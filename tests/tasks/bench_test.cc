// What benchmarks run and count; never how fast.
#include "tasks/bench.h"

#include <atomic>
#include <cmath>

#include "model/architecture.h"
#include "tasks/named_network.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

// The least that runs: five rounds.
const BenchOptions kShort{.batches = {1, 3}, .seconds = 0};

TEST(Bench, TimingIsOfTheSortedRounds) {
  std::vector<double> rounds;
  for (int i = 101; i >= 1; --i) rounds.push_back(i);
  const Timing timing = timing_of(rounds);
  EXPECT_EQ(timing.median, 51);
  EXPECT_EQ(timing.p90, 91);
  EXPECT_EQ(timing.p99, 100);
  EXPECT_DOUBLE_EQ(timing.spread, 25.0 / 51);
  EXPECT_EQ(timing.rounds, 101u);
  EXPECT_EQ(timing_of({4, 2}).median, 3) << "between the two in the middle";
  EXPECT_EQ(timing_of({7}).p99, 7);
  EXPECT_EQ(timing_of({}).rounds, 0u);
}

TEST(Bench, RunsEveryNetworkAtEveryBatch) {
  const Model model = test::tiny_model();
  const std::vector networks = {compile_for_scores(model, {.threads = 1}).network,
                                compile_for_scores(model, {.threads = 2}).network};
  const auto cases = bench(networks, kShort);
  ASSERT_EQ(cases.size(), 4u);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const BenchCase& found = cases[i];
    EXPECT_EQ(found.network, networks[i / 2]) << i;
    EXPECT_EQ(found.batch, i % 2 == 0 ? 1 : 3) << i;
    EXPECT_EQ(found.timing.rounds, 5u) << i;
    EXPECT_GT(found.timing.median, 0) << i;
    EXPECT_DOUBLE_EQ(found.images_per_second, 1e3 * static_cast<double>(found.batch) / found.timing.median) << i;
    const Plan& plan = found.network->plan();
    EXPECT_DOUBLE_EQ(found.operations_per_second, 2 * static_cast<double>(plan.macs) * found.images_per_second) << i;
    EXPECT_DOUBLE_EQ(found.weight_bytes_per_second, 1e3 * static_cast<double>(plan.weight_bytes) / found.timing.median) << i;
  }
}

TEST(Bench, EndsWhenAsked) {
  const std::vector networks = {compile_for_scores(test::tiny_model(), {}).network};
  const std::atomic<int> stop = 1;
  EXPECT_TRUE(bench(networks, {.seconds = 3600, .stop = &stop}).empty());
  EXPECT_TRUE(bench_layers(test::tiny_model(), networks[0], 1, {.seconds = 3600, .stop = &stop}).steps.empty());
}

TEST(Bench, EveryStepStandsBesideItsBarePrimitivesAndLimits) {
  const Model model = test::tiny_model();
  const auto network = compile_for_scores(model, {.threads = 2}).network;
  const LayerBench found = bench_layers(model, network, 3, kShort);
  EXPECT_EQ(found.rounds, 5u);
  EXPECT_GT(found.milliseconds, 0);
  EXPECT_GT(found.peak_operations_per_second, 0);
  EXPECT_GT(found.memory_bytes_per_second, 0);
  ASSERT_EQ(found.steps.size(), network->plan().steps.size());
  double bare = 0;
  for (const BenchStep& step : found.steps) {
    const std::string what = step.plan.layers.front();
    EXPECT_GT(step.milliseconds, 0) << what;
    bare += step.bare_milliseconds;
    EXPECT_EQ(step.bare_milliseconds > 0, !step.bare_implementation.empty()) << what;
    EXPECT_EQ(step.bare_milliseconds > 0, step.plan.implementation != "own:copy" && step.plan.kind != "reorder") << what;
    EXPECT_EQ(step.arithmetic_milliseconds > 0, step.plan.macs > 0) << what;
    EXPECT_EQ(step.memory_milliseconds > 0, step.plan.weight_bytes > 0 || step.bare_milliseconds > 0) << what;
  }
  EXPECT_NEAR(bare, found.bare_milliseconds, 1e-9 * bare) << "no layer is left out or counted twice";
}

TEST(Bench, RandomWeightsKeepActivationsInBounds) {
  const Model model = random_model(test::tiny_model().graph);
  check(model, "random");
  const auto network = compile_for_scores(model, {.threads = 1}).network;
  Session session(network);
  const std::vector<float> input(static_cast<std::size_t>(network->inputs()[0].shape.elements()), 1);
  std::vector<float> output(static_cast<std::size_t>(network->outputs()[0].shape.elements()));
  const std::span<const float> source = input;
  const std::span<float> destination = output;
  session.run(1, {&source, 1}, {&destination, 1});
  for (const float value : output) EXPECT_LT(std::fabs(value), 100);
}

}  // namespace
}  // namespace alexnet
