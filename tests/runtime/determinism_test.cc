// A row's bits depend neither on the other rows, nor on how a batch is split, nor on the number of threads.
#include <algorithm>
#include <cstring>

#include "model/architecture.h"
#include "runtime/instruction_set.h"
#include "runtime/precision.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

// The rows of all outputs, run in batches of at most `split`.
std::vector<Tensor> outputs_of(const Model& model, const Tensor& x, int threads, std::int64_t split,
                               Precision precision = Precision::f32) {
  const auto network =
      compile(model, {.threads = threads, .precision = precision, .emulate_bf16 = true, .keep = {logits_name(model.graph)}});
  Session session(network);
  const auto count = x.shape()[0];
  std::vector<Tensor> results;
  for (const auto& output : network->outputs()) results.push_back(Tensor::zeros(output.shape.with_batch(count)));
  for (std::int64_t done = 0; done < count; done += split) {
    const auto rows = std::min(split, count - done);
    const auto part = [&](auto values) {
      const auto elements = values.size() / static_cast<std::size_t>(count);
      return values.subspan(static_cast<std::size_t>(done) * elements, static_cast<std::size_t>(rows) * elements);
    };
    std::vector<std::span<float>> destinations;
    for (auto& result : results) destinations.push_back(part(result.mutable_values<float>()));
    const auto source = part(x.values<float>());
    session.run(rows, std::span(&source, 1), destinations);
  }
  return results;
}

// How many rows of any output differ in a bit.
std::int64_t rows_that_differ(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  std::int64_t different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto rows = a[i].shape()[0];
    const auto bytes = a[i].byte_count() / static_cast<std::size_t>(rows);
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto at = static_cast<std::size_t>(row) * bytes;
      if (std::memcmp(a[i].bytes().data() + at, b[i].bytes().data() + at, bytes) != 0) ++different;
    }
  }
  return different;
}

class DeterminismTest : public testing::TestWithParam<std::tuple<std::string, Precision>> {};

TEST_P(DeterminismTest, RowsHaveTheSameBitsForAnyBatchAndThreads) {
  const auto& [name, precision] = GetParam();
  if (precision == Precision::bf16 && instruction_set().simd < SimdLevel::avx512)
    GTEST_SKIP() << "bf16 runs as f32 without AVX-512";
  Model model = test::generated_model(test::narrow(architecture(name).graph));
  const Tensor x = test::generated_tensor(model.graph.inputs[0].shape.with_batch(64), "data", 200);
  if (precision == Precision::int8)
    test::add_ranges(model, test::generated_tensor(model.graph.inputs[0].shape.with_batch(2), "data", 200));
  const auto alone = outputs_of(model, x, 1, 1, precision);
  for (const int threads : {1, 2, 3, 4, 5, 6, 7, 8}) {
    EXPECT_EQ(rows_that_differ(alone, outputs_of(model, x, threads, 64, precision)), 0) << threads << " threads, batches of 64";
  }
  for (const std::int64_t split : {1, 2, 7, 8, 32, 33}) {
    EXPECT_EQ(rows_that_differ(alone, outputs_of(model, x, 2, split, precision)), 0) << "batches of " << split;
  }
}

std::string name_of(const testing::TestParamInfo<DeterminismTest::ParamType>& info) {
  return fmt::format("{}_{}", std::get<0>(info.param), name(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(Narrow, DeterminismTest,
                         testing::Combine(testing::ValuesIn(architecture_names()),
                                          testing::Values(Precision::f32, Precision::int8)),
                         name_of);
// Emulated without instructions for it, and slow: one network with all that AlexNet has.
INSTANTIATE_TEST_SUITE_P(NarrowBf16, DeterminismTest, testing::Combine(testing::Values("bvlc"), testing::Values(Precision::bf16)),
                         name_of);

TEST(Determinism, OfAWholeNetwork) {
  const Model model = test::generated_model(architecture("bvlc").graph);
  const Tensor x = test::generated_tensor(model.graph.inputs[0].shape.with_batch(9), "data", 200);
  const auto alone = outputs_of(model, x, 1, 1);
  EXPECT_EQ(rows_that_differ(alone, outputs_of(model, x, 2, 9)), 0);
  EXPECT_EQ(rows_that_differ(alone, outputs_of(model, x, 8, 7)), 0);
}

// Kernels that would split sums among threads: a convolution on top of a matrix product, and layers of odd sizes.
TEST(Determinism, OfOddLayers) {
  const Convolution third{.out_channels = 9, .kernel = {3, 3}, .padding = {1, 1, 1, 1}, .groups = 3};
  const Graph graph{.inputs = {{"data", {15, 31, 29}}},
                    .nodes = {{"conv", third, {"data"}},
                              {"norm", Lrn{.local_size = 4, .alpha = 1}, {"conv"}},
                              {"pool", MaxPool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}}, {"norm"}},
                              {"batch_norm", BatchNorm{}, {"pool"}},
                              {"channels", Softmax{}, {"batch_norm"}},
                              {"flat", Flatten{}, {"channels"}},
                              {"fc", Linear{.out_features = 77}, {"flat"}}},
                    .outputs = {"fc", "conv"}};
  const Model model = test::generated_model(graph);
  const Tensor x = test::generated_tensor(Shape{40, 15, 31, 29}, "data", 2);
  const auto alone = outputs_of(model, x, 1, 1);
  for (const int threads : {1, 2, 3, 4, 8})
    EXPECT_EQ(rows_that_differ(alone, outputs_of(model, x, threads, 40)), 0) << threads << " threads";
}

TEST(Determinism, OfWinogradConvolutions) {
  const Graph graph{
      .inputs = {{"data", {3, 67, 67}}},
      .nodes = {{"conv1", Convolution{.out_channels = 64, .kernel = {11, 11}, .stride = {4, 4}}, {"data"}},
                {"pool1", MaxPool{.kernel = {3, 3}, .stride = {2, 2}}, {"conv1"}},
                {"conv2", Convolution{.out_channels = 96, .kernel = {5, 5}, .padding = {2, 2, 2, 2}, .groups = 2}, {"pool1"}},
                {"conv3", Convolution{.out_channels = 112, .kernel = {3, 3}, .padding = {1, 1, 1, 1}}, {"conv2"}},
                {"relu3", Relu{}, {"conv3"}},
                {"flat", Flatten{}, {"relu3"}},
                {"fc", Linear{.out_features = 10}, {"flat"}}},
      .outputs = {"fc", "conv2"}};
  const Model model = test::generated_model(graph);
  const Tensor x = test::generated_tensor(Shape{37, 3, 67, 67}, "data", 2);
  const auto alone = outputs_of(model, x, 1, 1);
  for (const int threads : {1, 2, 3, 4, 5, 6, 7, 8})
    EXPECT_EQ(rows_that_differ(alone, outputs_of(model, x, threads, 37)), 0) << threads << " threads";
  for (const std::int64_t split : {1, 2, 3, 4, 5, 8, 33})
    EXPECT_EQ(rows_that_differ(alone, outputs_of(model, x, 2, split)), 0) << "batches of " << split;
}

TEST(Determinism, OfPrunedLayers) {
  const Graph graph{.inputs = {{"data", {2500}}}, .nodes = {{"fc", Linear{.out_features = 99}, {"data"}}}, .outputs = {"fc"}};
  Model model = test::generated_model(graph);
  Tensor weight = widened(model.weights.at("fc.weight"));
  for (std::size_t i = 0; i < weight.values<float>().size(); ++i)
    if (i % 11 != 0) weight.mutable_values<float>()[i] = 0;
  model.weights.at("fc.weight") = stored(weight, Storage::int8_sparse);
  const Tensor x = test::generated_tensor({64, 2500}, "data", 2);
  test::add_ranges(model, test::generated_tensor({2, 2500}, "data", 2));
  for (const Precision precision : {Precision::f32, Precision::int8}) {
    const auto alone = outputs_of(model, x, 1, 1, precision);
    for (const std::int64_t split : {1, 2, 3, 4, 7, 8, 33, 64}) {
      for (const int threads : {1, 2, 3, 8}) {
        EXPECT_EQ(rows_that_differ(alone, outputs_of(model, x, threads, split, precision)), 0)
            << name(precision) << ", " << threads << " threads, batches of " << split;
      }
    }
  }
}

// The control: the same sums from the other end must be seen as different, or the comparison above proves nothing.
TEST(Determinism, ReversedSummationDiffers) {
  constexpr std::int64_t kIn = 4096;
  const Graph graph{.inputs = {{"data", {kIn}}}, .nodes = {{"fc", Linear{.out_features = 100}, {"data"}}}, .outputs = {"fc"}};
  const Model forwards = test::generated_model(graph);
  const auto reversed = [&](const Tensor& tensor) {
    Tensor result = Tensor::zeros(tensor.shape());
    const auto from = tensor.values<float>();
    const auto to = result.mutable_values<float>();
    for (std::size_t row = 0; row < from.size(); row += kIn)
      std::reverse_copy(from.begin() + row, from.begin() + row + kIn, to.begin() + row);
    return result;
  };
  Model backwards = forwards;
  backwards.weights.at("fc.weight") = Weight::of(reversed(widened(forwards.weights.at("fc.weight"))));
  const Tensor x = test::generated_tensor({5, kIn}, "data", 2);
  const auto a = outputs_of(forwards, x, 1, 1);
  const auto b = outputs_of(backwards, reversed(x), 1, 1);
  EXPECT_EQ(rows_that_differ(a, b), 5);
}

}  // namespace
}  // namespace alexnet
