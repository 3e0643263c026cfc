// Running: what the caller must give, what threads share, and what is left as it was.
#include <omp.h>

#include <chrono>
#include <numeric>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alexnet/error.h"
#include "runtime/openmp.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

Model small_model() {
  return test::generated_model({.inputs = {{"data", {3, 16, 16}}},
                                .nodes = {{"conv", Convolution{.out_channels = 16, .kernel = {3, 3}}, {"data"}},
                                          {"relu", Relu{}, {"conv"}},
                                          {"norm", Lrn{}, {"relu"}},
                                          {"drop", Dropout{}, {"norm"}},
                                          {"flat", Flatten{}, {"drop"}},
                                          {"fc", Linear{.out_features = 10}, {"flat"}},
                                          {"prob", Softmax{}, {"fc"}}},
                                .outputs = {"prob"}});
}

std::vector<float> values(const Tensor& tensor) { return {tensor.values<float>().begin(), tensor.values<float>().end()}; }

TEST(Session, GivesOutputsAndWhatWasKept) {
  const auto network = compile(small_model(), {.keep = {"data", "drop", "fc", "prob", "conv"}});
  std::vector<std::string> names;
  for (const auto& output : network->outputs()) names.push_back(output.name);
  EXPECT_THAT(names, testing::ElementsAre("prob", "data", "drop", "fc", "conv"));
  EXPECT_EQ(network->outputs()[2].shape, (Shape{16, 14, 14}));
  Session session(network);
  const Tensor x = test::generated_tensor({3, 3, 16, 16}, "data", 1);
  const auto outputs = test::run(session, *network, {x});
  EXPECT_EQ(values(outputs[1]), values(x)) << "an input comes back as it is";
  EXPECT_EQ(values(outputs[0]), values(test::run(small_model(), {x})[0])) << "keeping changes no bit";
  const auto norm = test::run(small_model(), {x}, {.keep = {"norm"}})[1];
  EXPECT_EQ(values(outputs[2]), values(norm)) << "a dropped dropout is what it reads";
}

TEST(Session, RunsNoSamplesAtAll) {
  const auto network = compile(small_model(), {});
  Session session(network);
  const std::span<const float> source;
  const std::span<float> destination;
  EXPECT_NO_THROW(session.run(0, std::span(&source, 1), std::span(&destination, 1)));
}

TEST(Session, RefusesTensorsOfOtherSizes) {
  const auto network = compile(small_model(), {});
  Session session(network);
  const std::vector<float> source(3 * 16 * 16);
  std::vector<float> destination(10);
  const auto message = [&](std::int64_t batch, std::size_t sources, std::size_t in, std::size_t out) -> std::string {
    const std::vector<std::span<const float>> given(sources, std::span(source).first(in));
    const std::span<float> to = std::span(destination).first(out);
    try {
      session.run(batch, given, std::span(&to, 1));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(1, 1, 768, 10), "");
  EXPECT_EQ(message(1, 2, 768, 10), "input: wants 1 tensors, found 2");
  EXPECT_EQ(message(1, 1, 767, 10), "input 'data': 1 samples of 3x16x16 do not make 767 elements");
  EXPECT_EQ(message(1, 1, 768, 9), "output 'prob': 1 samples of 10 do not make 9 elements");
  EXPECT_EQ(message(2, 1, 768, 10), "input 'data': 2 samples of 3x16x16 do not make 768 elements");
  EXPECT_EQ(message(-1, 1, 768, 10), "batch: -1 is negative");
  EXPECT_THAT(message(INT64_MAX, 1, 768, 10), testing::HasSubstr("do not make 768 elements"));
}

TEST(Session, ReadsAndWritesAtAnyAddress) {
  const auto network = compile(small_model(), {});
  Session session(network);
  const Tensor x = test::generated_tensor({2, 3, 16, 16}, "data", 1);
  const auto expected = values(test::run(session, *network, {x})[0]);
  std::vector<float> source(x.values<float>().size() + 1);
  std::ranges::copy(x.values<float>(), source.begin() + 1);
  std::vector<float> destination(21, -1);
  const auto from = std::span<const float>(source).subspan(1);
  const auto to = std::span(destination).subspan(1);
  session.run(2, std::span(&from, 1), std::span(&to, 1));
  EXPECT_EQ(std::vector<float>(to.begin(), to.end()), expected);
  EXPECT_EQ(destination[0], -1);
}

TEST(Session, ThreadsShareOneNetwork) {
  const auto network = compile(small_model(), {.threads = 2});
  const Tensor x = test::generated_tensor({9, 3, 16, 16}, "data", 1);
  Session first(network);
  const auto expected = values(test::run(first, *network, {x})[0]);
  std::vector<int> right(4);
  std::vector<std::thread> threads;
  for (auto& count : right) {
    threads.emplace_back([&] {
      Session session(network);
      for (int i = 0; i < 20; ++i) count += values(test::run(session, *network, {x})[0]) == expected ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(right, testing::Each(20));
}

// However its caller has set OpenMP up, a region in a region included.
TEST(Session, RunsSlicesAtOnceInsideAndOutsideOfRegions) {
  const auto network = compile(small_model(), {.threads = 2});
  ASSERT_EQ(network->plan().slices_at_once, 2);
  const Tensor x = test::generated_tensor({9, 3, 16, 16}, "data", 1);
  const auto expected = values(test::run(small_model(), {x}, {.threads = 1})[0]);
  const int levels = omp_get_max_active_levels();
  for (const int allowed : {1, 3}) {
    omp_set_max_active_levels(allowed);
    Session session(network);
    EXPECT_EQ(values(test::run(session, *network, {x})[0]), expected) << allowed << " levels";
    int right = 0;
#pragma omp parallel num_threads(3) reduction(+ : right)
    {
      Session own(network);
      right += values(test::run(own, *network, {x})[0]) == expected ? 1 : 0;
    }
    EXPECT_EQ(right, 3) << allowed << " levels";
  }
  omp_set_max_active_levels(levels);
}

TEST(Session, TellsWhatStepsTakeAlsoWhenSlicesRunAtOnce) {
  const auto network = compile(small_model(), {.threads = 2});
  Session session(network, /*timed=*/true);
  const Tensor x = test::generated_tensor({32, 3, 16, 16}, "data", 1);
  const auto start = std::chrono::steady_clock::now();
  test::run(session, *network, {x});
  const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto taken = session.take_step_seconds();
  ASSERT_EQ(taken.size(), network->plan().steps.size());
  for (const double seconds : taken) EXPECT_GT(seconds, 0);
  EXPECT_LE(std::accumulate(taken.begin(), taken.end(), 0.0), passed);
  EXPECT_THAT(session.take_step_seconds(), testing::Each(0));
}

TEST(Session, LeavesOpenMpSettingsAlone) {
  omp_set_num_threads(5);
  omp_set_dynamic(1);
  test::run(small_model(), {test::generated_tensor({2, 3, 16, 16}, "data", 1)}, {.threads = 3});
  test::run(small_model(), {test::generated_tensor({3, 3, 16, 16}, "data", 1)}, {.threads = 3});  // slices at once
  EXPECT_EQ(omp_get_max_threads(), 5);
  EXPECT_EQ(omp_get_dynamic(), 1);
  omp_set_dynamic(0);
  int seen_elsewhere = 0;
  {
    const ThreadScope scope(7);
    EXPECT_EQ(omp_get_max_threads(), 7);
    std::thread([&] { seen_elsewhere = omp_get_max_threads(); }).join();
  }
  EXPECT_NE(seen_elsewhere, 7);
  EXPECT_EQ(omp_get_max_threads(), 5);
}

TEST(Session, OutlivesTheNetworkAndTheModel) {
  std::optional<Session> session;
  std::vector<float> expected;
  const Tensor x = test::generated_tensor({1, 3, 16, 16}, "data", 1);
  {
    const auto network = compile(small_model(), {});
    session.emplace(network);
    expected = values(test::run(*session, *network, {x})[0]);
  }
  std::vector<float> destination(10);
  const auto from = x.values<float>();
  const auto to = std::span(destination);
  session->run(1, std::span(&from, 1), std::span(&to, 1));
  EXPECT_EQ(destination, expected);
}

}  // namespace
}  // namespace alexnet
