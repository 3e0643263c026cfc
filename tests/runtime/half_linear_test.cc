// Layers whose weights are stored as f16 or bf16, which stay so in memory, against the same weights widened beforehand.
#include <cmath>
#include <cstring>

#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

Model layer(std::int64_t in, std::int64_t out, bool relu = false) {
  Graph graph{.inputs = {{"data", {in}}}, .nodes = {{"fc", Linear{.out_features = out}, {"data"}}}, .outputs = {"fc"}};
  if (relu) graph.nodes.push_back({"relu", Relu{}, {"fc"}}), graph.outputs = {"relu"};
  return test::generated_model(graph);
}

// The model with fc.weight stored as `weight`, and with the same weight as f32.
struct Pair {
  Model narrow;
  Model wide;
};

Pair both(const Model& model, const Weight& weight) {
  Pair result{model, model};
  result.narrow.weights.at("fc.weight") = weight;
  result.wide.weights.at("fc.weight") = Weight::of(widened(weight));
  return result;
}

TEST(HalfLinearLayer, GivesTheBitsOfTheWidenedWeights) {
  struct Case {
    std::int64_t in;
    std::int64_t out;
    bool relu = false;
  };
  // fc6 and fc8 of AlexNet; then one element, ends of vectors and of blocks of columns, tiles of one to four outputs.
  for (const Case& c : {Case{9216, 128, true}, Case{4096, 1000}, Case{1, 1}, Case{7, 2}, Case{17, 3}, Case{31, 33}, Case{511, 6},
                        Case{513, 31, true}, Case{1025, 5}}) {
    const Model model = layer(c.in, c.out, c.relu);
    for (const Storage storage : {Storage::f16, Storage::bf16}) {
      const auto [narrow, wide] = both(model, stored(widened(model.weights.at("fc.weight")), storage));
      const std::string what = fmt::format("{} to {} as {}", c.in, c.out, name(storage));
      const auto network = compile(narrow, {});
      EXPECT_EQ(network->plan().created_bytes, 0u) << what << ": nothing is widened in memory";
      EXPECT_EQ(network->plan().weight_bytes, static_cast<std::uint64_t>(c.out) * (2 * static_cast<std::uint64_t>(c.in) + 4))
          << what;
      for (const std::int64_t rows : {1, 2, 3, 6, 7, 8, 32}) {
        const Tensor x = test::generated_tensor({rows, c.in}, "data", 2);
        const Tensor found = test::run(narrow, {x}).front();
        const Tensor expected = test::run(wide, {x}).front();
        EXPECT_EQ(std::memcmp(found.bytes().data(), expected.bytes().data(), found.byte_count()), 0)
            << what << ", " << rows << " rows";
      }
    }
  }
}

// Subnormal numbers, infinities and NaN among them.
TEST(HalfLinearLayer, WidensEveryNumber) {
  constexpr std::int64_t kAll = 65536;
  const Model model = layer(1, kAll);
  for (const auto& [storage, type] : {std::pair{Storage::f16, ElementType::f16}, std::pair{Storage::bf16, ElementType::bf16}}) {
    Weight weight{.shape = {kAll, 1}, .storage = storage, .data = Tensor::allocate(type, {kAll, 1}), .scale = {}, .mask = {}};
    for (std::size_t i = 0; i < kAll; ++i) {
      const auto bits = static_cast<std::uint16_t>(i);
      std::memcpy(weight.data.mutable_bytes().data() + 2 * i, &bits, 2);
    }
    auto [narrow, wide] = both(model, weight);
    for (Model* each : {&narrow, &wide}) each->weights.at("fc.bias") = Weight::of(Tensor::zeros({kAll}));
    for (const std::int64_t rows : {1, 7}) {
      Tensor ones = Tensor::zeros({rows, 1});
      std::ranges::fill(ones.mutable_values<float>(), 1.0f);
      const Tensor found = test::run(narrow, {ones}).front();
      const Tensor wide_weight = widened(weight);
      const auto expected = wide_weight.values<float>();
      for (std::size_t i = 0; i < kAll; ++i) {
        const float y = found.values<float>()[i];
        ASSERT_TRUE(y == expected[i] || (std::isnan(y) && std::isnan(expected[i])))
            << name(storage) << " " << i << ": " << y << " for " << expected[i];
      }
    }
  }
}

}  // namespace
}  // namespace alexnet
