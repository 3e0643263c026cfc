// Pruned layers, multiplied as they are stored, against the same weights expanded.
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/simd/sparse_linear.h"

#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

// A layer of which about `density` is not zero, the first and last element of a row always.
Tensor pruned(std::int64_t out, std::int64_t in, double density) {
  Tensor weight = test::generated_tensor({out, in}, "fc.weight", 1);
  const Tensor chance = test::generated_tensor({out, in}, "chance", 1);
  for (std::size_t i = 0; i < weight.values<float>().size(); ++i) {
    const auto column = static_cast<std::int64_t>(i) % in;
    const bool kept = column == 0 || column == in - 1 || std::fabs(static_cast<double>(chance.values<float>()[i])) < density;
    if (!kept) weight.mutable_values<float>()[i] = 0;
  }
  return weight;
}

struct Case {
  std::int64_t in;
  std::int64_t out;
  double density;
  bool relu = false;
};

TEST(SparseLinear, GivesWhatTheExpandedWeightsGive) {
  constexpr double kRoundoff = std::numeric_limits<float>::epsilon() / 2;
  // fc6 and fc8 of the pruned network; then one element, ends of bytes, steps and blocks, rows of nothing and of everything.
  for (const Case& c : {Case{9216, 256, 0.08}, Case{4096, 200, 0.25, true}, Case{1, 1, 1}, Case{7, 3, 0.5}, Case{8, 9, 0.5},
                        Case{64, 8, 1}, Case{65, 5, 0.3}, Case{1023, 17, 0.1}, Case{1024, 16, 0.1, true}, Case{1025, 33, 0.1},
                        Case{2500, 12, 0}, Case{2500, 12, 1}}) {
    Graph graph{.inputs = {{"data", {c.in}}}, .nodes = {{"fc", Linear{.out_features = c.out}, {"data"}}}, .outputs = {"fc"}};
    if (c.relu) graph.nodes.push_back({"relu", Relu{}, {"fc"}}), graph.outputs = {"relu"};
    Model sparse = test::generated_model(graph);
    sparse.weights.at("fc.weight") = stored(pruned(c.out, c.in, c.density), Storage::int8_sparse);
    Model dense = sparse;
    dense.weights.at("fc.weight") = Weight::of(widened(sparse.weights.at("fc.weight")));
    Model magnitudes = dense;
    Tensor terms = Tensor::zeros({c.out, c.in});
    for (std::size_t i = 0; i < terms.values<float>().size(); ++i)
      terms.mutable_values<float>()[i] = std::fabs(widened(dense.weights.at("fc.weight")).values<float>()[i]);
    magnitudes.weights.at("fc.weight") = Weight::of(terms);
    const std::string what = fmt::format("{} to {}, density {}", c.in, c.out, c.density);

    const auto network = compile(sparse, {});
    EXPECT_THAT(test::implementation_of(network->plan(), "fc"), testing::StartsWith("own:sparse_linear:")) << what;
    EXPECT_LT(network->plan().created_bytes, 200'000u) << what << ": nothing is expanded";
    for (const std::int64_t rows : {1, 3, 32}) {
      Tensor x = test::generated_tensor({rows, c.in}, "data", 2);
      const Tensor y = test::run(sparse, {x}).front();
      const Tensor expected = test::run(dense, {x}).front();
      for (float& value : x.mutable_values<float>()) value = std::fabs(value);
      const Tensor sums = test::run(magnitudes, {x}).front();
      for (std::size_t i = 0; i < y.values<float>().size(); ++i) {
        // The scale rounds each expanded weight and here only the sum; both sums are of `in` terms.
        const double allowed =
            2 * (std::sqrt(static_cast<double>(c.in)) + 2) * kRoundoff * (static_cast<double>(sums.values<float>()[i]) + 0.2);
        ASSERT_NEAR(static_cast<double>(y.values<float>()[i]), static_cast<double>(expected.values<float>()[i]), allowed)
            << what << ", " << rows << " rows, element " << i;
      }
    }
  }
}

TEST(SparseLinear, KnowsWhereEachBlockOfValuesStarts) {
  const Weight weight = stored(pruned(5, 2500, 0.2), Storage::int8_sparse);
  const auto dense = widened(weight);
  const auto starts = sparse_starts(weight);
  ASSERT_EQ(starts.size(), 5u * 3u);
  std::size_t seen = 0;
  for (std::size_t row = 0; row < 5; ++row) {
    for (std::size_t column = 0; column < 2500; ++column) {
      if (column % kSparseBlock == 0) {
        EXPECT_EQ(starts[row * 3 + column / kSparseBlock], seen);
      }
      if (dense.values<float>()[row * 2500 + column] != 0) ++seen;
    }
  }
}

// Values are read in whole vectors, but not beyond the last one: here it stands before a page that must not be touched.
TEST(SparseLinear, StaysInsideItsValues) {
  Model model = test::generated_model(
      {.inputs = {{"data", {4096}}}, .nodes = {{"fc", Linear{.out_features = 8, .bias = false}, {"data"}}}, .outputs = {"fc"}});
  Tensor ones = Tensor::zeros({8, 4096});
  std::ranges::fill(ones.mutable_values<float>(), 1.0f);
  Weight weight = stored(ones, Storage::int8_sparse);
  const std::size_t bytes = weight.data.byte_count();
  ASSERT_EQ(bytes, 8u * 4096u);
  void* const pages = ::mmap(nullptr, bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  std::memcpy(pages, weight.data.bytes().data(), bytes);
  ASSERT_EQ(::mprotect(static_cast<std::byte*>(pages) + bytes, 4096, PROT_NONE), 0);
  const std::shared_ptr<void> owner(pages, [bytes](void* memory) { ::munmap(memory, bytes + 4096); });
  weight.data = Tensor::view(ElementType::i8, weight.data.shape(), {static_cast<const std::byte*>(pages), bytes}, owner);
  model.weights.at("fc.weight") = weight;
  EXPECT_NO_THROW(test::run(model, {test::generated_tensor({9, 4096}, "data", 1)}));
}

}  // namespace
}  // namespace alexnet
