// The normalisations, compiled, against what other implementations computed in double (tests/golden/layers), and their own
// promises: finite results, any layout, batches as a whole.
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "runtime/instruction_set.h"
#include "runtime/onednn/primitives.h"
#include "runtime/openmp.h"
#include "runtime/own_lrn.h"
#include "runtime/own_norms.h"
#include "tests/layers/finite_cases.h"
#include "tests/layers/golden.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

using test::generated;

constexpr double kRoundoff = std::numeric_limits<float>::epsilon() / 2;

Model model_of(const Layer& layer, const Shape& sample, const std::vector<Tensor>& learned) {
  Model model;
  model.graph = checked({.inputs = {{"x", sample}}, .nodes = {{.name = "y", .layer = layer, .inputs = {"x"}}}, .outputs = {"y"}});
  const Shape input = sample.with_batch(1);
  std::size_t at = 0;
  for (const auto& parameter : parameters(layer, std::span(&input, 1)))
    model.weights["y." + std::string(parameter.name)] = Weight::of(learned[at++]);
  return model;
}

struct Family {
  std::string kind;
  // How far an element may be off, in roundings of itself and of the largest element.
  double relative = 0;
  double absolute = 0;
};

class NormLayerTest : public testing::TestWithParam<Family> {};

TEST_P(NormLayerTest, ComputesWhatOthersDo) {
  for (const auto& golden : test::golden_cases(GetParam().kind)) {
    SCOPED_TRACE(fmt::format("{}, {}", golden.name, to_json(golden.layer).dump()));
    const Tensor& x = golden.inputs.front();
    const Model model = model_of(golden.layer, x.shape().without_batch(), golden.parameters);
    const auto network = compile(model, {.threads = 2});
    Session session(network);
    const auto* lrn = std::get_if<Lrn>(&golden.layer);
    const bool within = lrn != nullptr && lrn->region == LrnRegion::within_channel;
    const double window = lrn == nullptr ? 0 : static_cast<double>(within ? lrn->local_size * lrn->local_size : lrn->local_size);
    test::expect_golden(golden, test::run(session, *network, {x}).front(), (GetParam().relative + window) * kRoundoff,
                        GetParam().absolute * kRoundoff);
    EXPECT_NE(test::implementation_of(network->plan(), "y"), "reference");
  }
}

// Means and variances: a lane adds up 64 terms before pieces go on in double, which is wrong by 8 roundings of the mean |term|
// (Higham and Mary 2019) or, if luck fails, some more; the range of the values is at most some deviations, and the largest result
// is about half of that. Stored numbers: a few operations, of |x| + |mean|. Response normalisation: as in layers_test.cc.
// Neighbourhoods: two sums of up to 9 weighted values that lie within the range, and a quotient.
INSTANTIATE_TEST_SUITE_P(Family, NormLayerTest,
                         testing::Values(Family{"batch_norm", 8, 8}, Family{"batch_statistics_norm", 8, 32},
                                         Family{"filter_response_norm", 8, 8}, Family{"group_norm", 8, 32},
                                         Family{"instance_norm", 8, 32}, Family{"layer_norm", 8, 32},
                                         Family{"local_contrast_norm", 8, 64}, Family{"local_mean_subtraction", 8, 32},
                                         Family{"lrn", 7, 0}, Family{"moving_average_batch_norm", 8, 1}, Family{"scale", 2, 0},
                                         Family{"scale_shift", 2, 2}, Family{"switchable_norm", 8, 32},
                                         // The float32 of TensorFlow's lrn in addition.
                                         Family{"tensorflow", 24, 32}),
                         [](const auto& test) { return test.param.kind; });

TEST(NormLayers, AreFiniteForAllFiniteInputs) {
  for (const auto& layer : test::normalisations()) {
    for (const auto& x : test::finite_inputs()) {
      const Model model = model_of(layer, x.shape().without_batch(), test::finite_parameters(layer, x.shape()));
      const Tensor y = test::run(model, {x}, {.threads = 2}).front();
      EXPECT_THAT(y.values<float>(), testing::Each(testing::Truly([](float value) { return std::isfinite(value); })))
          << to_string(x.shape()) << " through " << to_json(layer).dump();
    }
  }
}

// Neighbourhoods' means are sums of up to 9 * 9 products: of a constant they are it but for roundings, which contrast
// normalisation divides by epsilon. The planes' mean is subtracted before, so that these are roundings of what that leaves, 2^-24
// of the constant at most.
TEST(NormLayers, FindNoContrastInAConstant) {
  for (const float constant : {1e4f, -1e4f, 3.0f, 0.1f, 1e-20f}) {
    const Tensor x = generated({2, 3, 12, 11}, 1, static_cast<double>(constant), static_cast<double>(constant));
    const double mean = kRoundoff * std::fabs(static_cast<double>(constant)) * 81 * kRoundoff;
    for (const bool across : {false, true}) {
      const LocalContrastNorm contrast{.across_channels = across};
      for (const Layer& layer : {Layer(contrast), Layer(LocalMeanSubtraction{.across_channels = across})}) {
        const double allowed = std::holds_alternative<LocalContrastNorm>(layer) ? mean / contrast.epsilon : mean;
        for (const Tensor& y : {reference(layer, std::span(&x, 1), {}), test::run(model_of(layer, {3, 12, 11}, {}), {x}).front()}) {
          for (const float value : y.values<float>())
            ASSERT_LE(std::fabs(static_cast<double>(value)), allowed) << constant << " through " << to_json(layer).dump();
        }
      }
    }
  }
}

std::vector<float> ran(const Choice& choice, std::span<const float> source, std::size_t elements) {
  std::vector<float> destination(elements);
  std::vector<float> scratch(choice.scratch_bytes / sizeof(float) + 1);
  const auto* from = reinterpret_cast<const std::byte*>(source.data());
  choice.prepare()()({.sources = std::span(&from, 1),
                      .destination = reinterpret_cast<std::byte*>(destination.data()),
                      .scratch = reinterpret_cast<std::byte*>(scratch.data())});
  return destination;
}

TEST(OwnLrnLayer, ComputesTheSameInEveryLayout) {
  const std::vector<Layout> layouts{
      {}, {.order = Order::channels_last}, {.order = Order::blocked, .block = 8}, {.order = Order::blocked, .block = 16}};
  const ThreadScope scope(2);
  for (const Shape& shape : {Shape{1, 96, 5, 7}, Shape{2, 32, 3, 1}, Shape{1, 16, 1, 1}, Shape{1, 48, 13, 9}, Shape{1, 5, 4, 3},
                             Shape{1, 18, 5, 7}, Shape{1, 256, 2, 3}}) {
    for (const Lrn& layer : {Lrn{.alpha = 1, .k = 2}, Lrn{.local_size = 4, .alpha = 1},
                             Lrn{.local_size = 6, .alpha = 1, .even_window = EvenWindow::after}, Lrn{.local_size = 99, .alpha = 1},
                             Lrn{.local_size = 1, .alpha = 1, .beta = 0.5}, Lrn{.alpha = 1, .groups = 2},
                             Lrn{.alpha = 1, .beta = 0.6}, Lrn{.alpha = 1, .beta = 1}}) {
      if (shape[1] % layer.groups != 0) continue;
      const Tensor x = generated(shape, 1, -2, 2);
      const Tensor expected = reference(layer, std::span(&x, 1), {});
      for (const Layout& layout : layouts) {
        const Choice own = own_lrn(layer, shape, layout, /*threads=*/2, instruction_set().simd);
        auto values = std::vector<float>(x.values<float>().begin(), x.values<float>().end());
        const auto elements = byte_count(own.source, shape).value() / sizeof(float);
        if (own.source.order != Order::plain) values = ran(*onednn_reorder(shape, {}, own.source), values, elements);
        values = ran(own, values, elements);
        if (own.source.order != Order::plain)
          values = ran(*onednn_reorder(shape, own.source, {}), values, x.values<float>().size());
        for (std::size_t i = 0; i < values.size(); ++i) {
          const auto wanted = static_cast<double>(expected.values<float>()[i]);
          const double allowed = (static_cast<double>(std::min(layer.local_size, shape[1])) + 7) * kRoundoff * std::fabs(wanted);
          ASSERT_NEAR(static_cast<double>(values[i]), wanted, allowed) << "element " << i << " of " << to_string(shape) << " as "
                                                                       << to_string(own.source, 4) << ", " << to_json(layer).dump();
        }
      }
    }
  }
}

// Vectors are loaded and stored at boundaries of memory, so that maps begin and end anywhere within them.
TEST(OwnFilterResponseNorm, ComputesTheSameWhereverAMapIs) {
  constexpr std::int64_t kChannels = 35;
  const ThreadScope scope(2);
  for (const auto level : {SimdLevel::baseline, SimdLevel::avx2, SimdLevel::avx512}) {
    if (level > instruction_set().simd) continue;
    for (const std::int64_t pixels : {1, 7, 8, 9, 15, 16, 17, 31, 169, 4103, 4111, 4112, 9000}) {
      const auto where = fmt::format("{} pixels, level {}", pixels, static_cast<int>(level));
      const Shape shape{2, kChannels, 1, pixels};
      const Tensor x = generated(shape, 1, -2, 2);
      const std::vector<Tensor> learned{generated({kChannels}, 2, -1, 1), generated({kChannels}, 3, -1, 1),
                                        generated({kChannels}, 4, -1, 1)};
      const Tensor expected = reference(FilterResponseNorm{}, std::span(&x, 1), learned);
      NormContext context{.input = shape, .parameters = {}, .threads = 2, .level = level};
      for (const Tensor& each : learned) context.parameters.push_back(Weight::of(each));
      const auto y = ran(own_norm(FilterResponseNorm{}, context), x.values<float>(), x.values<float>().size());
      // Terms that a lane of four sums adds up; half of what they are wrong by is left of it under the root.
      const auto lanes = level == SimdLevel::baseline ? 1.0 : level == SimdLevel::avx2 ? 8.0 : 16.0;
      const double units = std::sqrt(std::min(static_cast<double>(pixels), 4112.0) / 4 / lanes) + 8;
      for (std::size_t i = 0; i < y.size(); ++i) {
        const auto wanted = static_cast<double>(expected.values<float>()[i]);
        ASSERT_NEAR(static_cast<double>(y[i]), wanted, units * kRoundoff * (std::fabs(wanted) + 1)) << i << " of " << where;
      }

      const auto map = x.values<float>().first(static_cast<std::size_t>(pixels));
      std::vector<float> maps;
      for (std::int64_t i = 0; i < shape[0] * shape[1]; ++i) maps.insert(maps.end(), map.begin(), map.end());
      const FilterResponseNorm bare{.threshold = false, .scale = false, .offset = false};
      const auto same = ran(own_norm(bare, {.input = shape, .parameters = {}, .threads = 2, .level = level}), maps, maps.size());
      for (std::size_t i = 0; i < same.size(); ++i) ASSERT_EQ(same[i], same[i % map.size()]) << i << " of " << where;
    }
  }
}

TEST(OwnLrnLayer, PoolsInTheSamePass) {
  const ThreadScope scope(2);
  const Layout last{.order = Order::channels_last};
  for (const Shape& shape : {Shape{1, 96, 13, 11}, Shape{1, 20, 7, 8}, Shape{1, 256, 3, 3}}) {
    for (const MaxPool& pool : {MaxPool{.kernel = {3, 3}, .stride = {2, 2}}, MaxPool{.kernel = {2, 3}, .stride = {3, 1}},
                                MaxPool{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}, .rounding = Rounding::ceil}}) {
      for (const Lrn& layer :
           {Lrn{.alpha = 1, .k = 2}, Lrn{.local_size = 4, .alpha = 1, .beta = 0.6}, Lrn{.alpha = 1, .groups = 2}}) {
        const Tensor x = generated(shape, 1, -2, 2);
        const Tensor between = reference(layer, std::span(&x, 1), {});
        const Tensor expected = reference(pool, std::span(&between, 1), {});
        const Choice own = own_lrn_pool(layer, &pool, shape, last, std::nullopt, /*threads=*/2, instruction_set().simd);
        auto values = ran(*onednn_reorder(shape, {}, last), x.values<float>(), x.values<float>().size());
        values = ran(own, values, expected.values<float>().size());
        values = ran(*onednn_reorder(expected.shape(), last, {}), values, values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
          const auto wanted = static_cast<double>(expected.values<float>()[i]);
          ASSERT_NEAR(static_cast<double>(values[i]), wanted, (5 + 7) * kRoundoff * std::fabs(wanted))
              << "element " << i << " of " << to_string(shape) << ", " << to_json(layer).dump();
        }
      }
    }
  }
}

// What lrn.h promises of the power, and the roundings of x * x and of the base, over bases that are dense from k to k + 1e8 alpha.
// Windows are of one channel, and the layer's numbers exact as floats, but for a beta of 0.6.
TEST(OwnLrnLayer, IsWithinItsUnitsOfRoundoffForAnyBase) {
  constexpr double kAlpha = 0x1p-13;
  constexpr std::int64_t kChannels = 16;
  const ThreadScope scope(2);
  for (const double k : {1.0, 2.0, 0x1p-100}) {
    std::vector<float> x;
    for (double base = k; base < k + kAlpha * 1e8; base *= 1 + 0x1p-13)
      x.push_back(static_cast<float>(std::sqrt((base - k) / kAlpha)));
    x.resize(x.size() / kChannels * kChannels);
    const Shape shape{1, kChannels, 1, static_cast<std::int64_t>(x.size()) / kChannels};
    for (const auto& [beta, units] : {std::pair(0.5, 7.0), {0.75, 7.0}, {1.0, 7.0}, {static_cast<double>(0.6f), 2.0}}) {
      const Lrn layer{.local_size = 1, .alpha = kAlpha, .beta = beta, .k = k};
      for (const Layout& layout :
           {Layout{}, Layout{.order = Order::channels_last}, Layout{.order = Order::blocked, .block = kChannels}}) {
        const auto y = ran(own_lrn(layer, shape, layout, /*threads=*/2, instruction_set().simd), x, x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
          const auto value = static_cast<double>(x[i]);
          const double wanted = value * std::pow(k + kAlpha * value * value, -beta);
          ASSERT_NEAR(static_cast<double>(y[i]), wanted, (units + 2 * beta) * kRoundoff * wanted)
              << value << " as " << to_string(layout, 4) << ", " << to_json(layer).dump();
        }
      }
    }
  }
}

TEST(OwnLrnLayer, KeepsALayoutWhoseBlocksFillItsTowers) {
  const Layout blocked{.order = Order::blocked, .block = 16};
  const auto layout = [&](std::int64_t channels, std::int64_t groups) {
    return own_lrn({.groups = groups}, {1, channels, 4, 4}, blocked, 1, SimdLevel::baseline).source;
  };
  EXPECT_EQ(layout(96, 1), blocked);
  EXPECT_EQ(layout(96, 2), blocked);
  EXPECT_EQ(layout(48, 2), Layout{});
  EXPECT_EQ(layout(20, 1), Layout{});
}

// Two layers that take statistics from the batch, with convolutions and rows of a linear layer between and behind them.
Graph coupled_graph() {
  return {.inputs = {{"x", {3, 9, 8}}},
          .nodes = {{.name = "conv1", .layer = Convolution{.out_channels = 16, .kernel = {3, 3}}, .inputs = {"x"}},
                    {.name = "norm1", .layer = BatchStatisticsNorm{}, .inputs = {"conv1"}},
                    {.name = "relu1", .layer = Relu{}, .inputs = {"norm1"}},
                    {.name = "norm2", .layer = SwitchableNorm{.batch_part = BatchPart::of_batch}, .inputs = {"relu1"}},
                    {.name = "flat", .layer = Flatten{}, .inputs = {"norm2"}},
                    {.name = "fc", .layer = Linear{.out_features = 10}, .inputs = {"flat"}},
                    {.name = "norm3", .layer = BatchStatisticsNorm{}, .inputs = {"fc"}}},
          .outputs = {"norm3"}};
}

TEST(WholeBatch, IsWhatTheReferencesMakeOfIt) {
  const Model model = test::generated_model(coupled_graph());
  const auto network = compile(model, {.threads = 2});
  EXPECT_THAT(network->plan().whole_batch, testing::ElementsAre("norm1", "norm2", "norm3"));
  Session session(network);
  // Up, past a block of rows, and down again: the session keeps its arena.
  for (const std::int64_t batch : {2, 5, 40, 3, 1}) {
    const Tensor x = test::generated_tensor(Shape{3, 9, 8}.with_batch(batch), "x", 2);
    Tensor expected = x;
    for (const Node& node : model.graph.nodes) {
      const Shape shape = expected.shape();
      std::vector<Tensor> learned;
      for (const auto& parameter : parameters(node.layer, std::span(&shape, 1)))
        learned.push_back(widened(model.weights.at(fmt::format("{}.{}", node.name, parameter.name))));
      expected = reference(node.layer, std::span(&expected, 1), learned);
    }
    const Tensor y = test::run(session, *network, {x}).front();
    // Three standardisations keep what the sums before them lost, 30 roundings of numbers around one each.
    for (std::size_t i = 0; i < y.values<float>().size(); ++i)
      ASSERT_NEAR(y.values<float>()[i], expected.values<float>()[i], 1e-5) << "element " << i << " of a batch of " << batch;
  }
}

TEST(WholeBatch, IsTheSameBitsForAnyThreads) {
  const Model model = test::generated_model(coupled_graph());
  const Tensor x = test::generated_tensor({37, 3, 9, 8}, "x", 2);
  const Tensor one = test::run(model, {x}, {.threads = 1}).front();
  const Tensor two = test::run(model, {x}, {.threads = 2}).front();
  EXPECT_THAT(one.values<float>(), testing::ElementsAreArray(two.values<float>()));
}

TEST(WholeBatch, IsRefusedBeyondTheMemoryAllowed) {
  const Model model = test::generated_model(coupled_graph());
  const auto bytes = compile(model, {})->plan().arena_bytes + compile(model, {})->plan().created_bytes;
  const auto network = compile(model, {.max_memory = bytes});
  Session session(network);
  EXPECT_NO_THROW(test::run(session, *network, {test::generated_tensor({1, 3, 9, 8}, "x", 2)}));
  try {
    test::run(session, *network, {test::generated_tensor({2, 3, 9, 8}, "x", 2)});
    FAIL() << "took more memory than allowed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resources);
    EXPECT_THAT(error.what(), testing::HasSubstr("layer 'norm1' takes statistics from the whole batch"));
  }
}

}  // namespace
}  // namespace alexnet
