// What a compiled network says about itself.
#include "runtime/plan.h"

#include <algorithm>

#include "alexnet/error.h"
#include "model/architecture.h"
#include "runtime/instruction_set.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Graph tower(std::vector<Node> nodes, std::vector<std::string> outputs, Shape sample = {16, 12, 12}) {
  return {.inputs = {{"data", std::move(sample)}}, .nodes = std::move(nodes), .outputs = std::move(outputs)};
}

Plan plan_of(const Graph& graph, const CompileOptions& options = {}) {
  return compile(test::generated_model(graph), options)->plan();
}

std::vector<std::string> kinds(const Plan& plan) {
  std::vector<std::string> result;
  for (const auto& step : plan.steps) result.push_back(step.kind);
  return result;
}

class ArchitecturePlanTest : public testing::TestWithParam<std::string> {};

// Run as it is, and with ONEDNN_MAX_CPU_ISA=AVX2 and AVX512_CORE (CMakeLists.txt).
TEST_P(ArchitecturePlanTest, HasNoReferenceImplementation) {
  const Plan plan = plan_of(architecture(GetParam()).graph, {.winograd = false});
  if (plan.instruction_set == "SSE") GTEST_SKIP() << "promised from AVX2 on";
  for (const auto& step : plan.steps) {
    EXPECT_THAT(step.implementation, Not(StartsWith("ref"))) << step.kind << " " << step.layers.front();
    EXPECT_EQ(step.implementation.find("gemm"), std::string::npos) << step.implementation << " of " << step.layers.front();
    EXPECT_EQ(step.precision, "f32");
  }
  for (const auto& step : plan.steps) {
    if (step.kind == "lrn") {
      // Ours where channels lie in blocks, or where oneDNN's windows, which know no towers, do not fit; always in place.
      const bool ours = step.source_layout.starts_with("nChw") || GetParam() == "krizhevsky2012";
      EXPECT_TRUE(!ours || step.implementation.starts_with("own:lrn")) << step.implementation << " on " << step.source_layout;
      EXPECT_EQ(step.source_layout, step.destination_layout);
    }
    if (step.kind != "convolution" && step.kind != "max_pool" && step.kind != "softmax") continue;
    EXPECT_EQ(step.implementation.starts_with("own"), false) << step.kind << " runs on " << step.implementation;
  }
}

TEST_P(ArchitecturePlanTest, AddsUp) {
  const Plan plan = plan_of(architecture(GetParam()).graph, {.winograd = false});
  std::uint64_t macs = 0;
  std::uint64_t weights = 0;
  for (const auto& step : plan.steps) {
    macs += step.macs;
    weights += step.weight_bytes;
    EXPECT_LE(step.arena_offset + step.arena_bytes, plan.arena_bytes) << step.layers.front();
  }
  EXPECT_EQ(macs, plan.macs);
  EXPECT_EQ(weights, plan.weight_bytes);
  EXPECT_LT(plan.created_bytes, 20'000'000u) << "the fully connected layers' weights are used where they lie";
}

TEST_P(ArchitecturePlanTest, ConvolvesByWinogradsMethod) {
  const Plan plan = plan_of(architecture(GetParam()).graph);
  if (plan.instruction_set == "SSE") GTEST_SKIP() << "used from AVX2 on";
  for (const auto& step : plan.steps) {
    if (step.kind == "convolution") {
      EXPECT_THAT(step.implementation, StartsWith("own:winograd")) << step.layers.front();
    } else if (step.kind == "reorder" && GetParam() != "krizhevsky2012") {  // whose towers take a kernel on nchw
      EXPECT_EQ(step.destination_layout, "nchw") << "only for the linear layers";
    }
  }
  EXPECT_LT(plan.created_bytes, 45'000'000u) << "transformed filters";
}

INSTANTIATE_TEST_SUITE_P(Architectures, ArchitecturePlanTest, testing::ValuesIn(architecture_names()),
                         [](const auto& test) { return test.param; });

// Counted by hand: 105415200 + 447897600 + 149520384 + 224280576 + 149520384 + 9216 * 4096 + 4096 * 4096 + 4096 * 1000.
TEST(Plan, CountsTheMultiplications) { EXPECT_EQ(plan_of(architecture("paper").graph).macs, 1'135'256'096u); }

const Convolution kConvolution{.out_channels = 16, .kernel = {3, 3}};

TEST(Plan, FusesReluIntoWhatMakesIt) {
  const Plan plan = plan_of(tower({{"conv", kConvolution, {"data"}}, {"relu", Relu{}, {"conv"}}}, {"relu"}));
  EXPECT_THAT(test::step_of(plan, "conv")->layers, ElementsAre("conv", "relu"));
  const Plan features = plan_of(tower({{"fc", Linear{.out_features = 5}, {"data"}}, {"relu", Relu{}, {"fc"}}}, {"relu"}, {7}));
  EXPECT_THAT(test::step_of(features, "fc")->layers, ElementsAre("fc", "relu"));
}

TEST(Plan, KeepsWhatSomebodyReads) {
  const std::vector<Node> nodes{
      {"conv", kConvolution, {"data"}}, {"relu", Relu{}, {"conv"}}, {"pool", MaxPool{.kernel = {2, 2}}, {"conv"}}};
  EXPECT_THAT(test::step_of(plan_of(tower(nodes, {"relu", "pool"})), "conv")->layers, ElementsAre("conv")) << "two readers";
  EXPECT_THAT(test::step_of(plan_of(tower({nodes[0], nodes[1]}, {"relu", "conv"})), "conv")->layers, ElementsAre("conv"))
      << "an output";
  EXPECT_THAT(test::step_of(plan_of(tower({nodes[0], nodes[1]}, {"relu"}), {.keep = {"conv"}}), "conv")->layers,
              ElementsAre("conv"))
      << "kept";
}

TEST(Plan, LeavesOutWhatNobodyReads) {
  const Plan plan = plan_of(tower({{"conv", kConvolution, {"data"}}, {"other", kConvolution, {"data"}}}, {"conv"}));
  EXPECT_EQ(test::step_of(plan, "other"), nullptr);
  ASSERT_EQ(plan.absent.size(), 1u);
  EXPECT_EQ(plan.absent[0].layer, "other");
  EXPECT_EQ(plan.absent[0].reason, "nothing needs it");
}

TEST(Plan, ViewsAndPassesTakeNoStep) {
  const Plan plan = plan_of(
      tower({{"drop", Dropout{}, {"data"}}, {"flat", Flatten{}, {"drop"}}, {"fc", Linear{.out_features = 5}, {"flat"}}}, {"fc"}));
  EXPECT_THAT(kinds(plan), ElementsAre("linear", "output"));
  EXPECT_THAT(plan.passes, Contains("dropped dropout 'drop'"));
}

TEST(Plan, FoldsBatchNormIntoTheConvolution) {
  const Plan plan =
      plan_of(tower({{"conv", kConvolution, {"data"}}, {"bn", BatchNorm{}, {"conv"}}, {"relu", Relu{}, {"bn"}}}, {"relu"}));
  EXPECT_EQ(std::ranges::count(kinds(plan), "batch_norm"), 0);
  EXPECT_THAT(plan.passes, Not(IsEmpty()));
  const Plan kept = plan_of(tower({{"conv", kConvolution, {"data"}}, {"bn", BatchNorm{}, {"conv"}}}, {"bn"}), {.keep = {"conv"}});
  EXPECT_EQ(std::ranges::count(kinds(kept), "batch_norm"), 1) << "when what it reads must stay";
}

// What oneDNN can't do, or only by its reference, runs another way and says why.
TEST(Plan, OneDnnsGapsRunOnOurKernels) {
  struct Gap {
    std::string what;
    Layer layer;
    std::string note;
  };
  const AveragePool hanging{
      .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}, .rounding = Rounding::ceil, .count_padding = true};
  const std::vector<Gap> gaps{
      {"even window", Lrn{.local_size = 4}, "no such windows"},
      {"even window after", Lrn{.local_size = 4, .even_window = EvenWindow::after}, "no such windows"},
      {"towers", Lrn{.groups = 2}, "no such windows"},
      {"odd beta", Lrn{.beta = 0.6}, "only its reference"},
      {"large window", Lrn{.local_size = 11}, "only its reference"},
      {"within channel", Lrn{.region = LrnRegion::within_channel, .local_size = 3}, "only its reference"},
      {"unequal windows", AdaptiveAveragePool{.output = {5, 5}}, "no such windows"},
      {"divisor that shrinks", hanging, "no such windows"},
      {"dilated pool", MaxPool{.kernel = {3, 3}, .dilation = {2, 2}}, "only its reference"},
  };
  for (const auto& gap : gaps) {
    const Plan plan = plan_of(tower({{"y", gap.layer, {"data"}}}, {"y"}));
    EXPECT_THAT(test::implementation_of(plan, "y"), StartsWith("own:")) << gap.what;
    EXPECT_THAT(test::step_of(plan, "y")->note, HasSubstr(gap.note)) << gap.what;
  }
}

TEST(Plan, NamesLayouts) {
  const Plan plan = plan_of(tower(
      {{"conv", kConvolution, {"data"}}, {"flat", Flatten{}, {"conv"}}, {"fc", Linear{.out_features = 5}, {"flat"}}}, {"fc"}));
  EXPECT_EQ(test::step_of(plan, "fc")->source_layout, "nc");
  EXPECT_EQ(plan.steps.back().kind, "output");
  const auto moved = std::ranges::find(plan.steps, "reorder", &PlanStep::kind);
  ASSERT_NE(moved, plan.steps.end());
  EXPECT_NE(moved->source_layout, moved->destination_layout);
}

TEST(Compile, RefusesMoreMemoryThanAllowed) {
  const Model model = test::generated_model(tower({{"conv", kConvolution, {"data"}}}, {"conv"}));
  CompileOptions options{.threads = 1};
  const Plan plan = compile(model, options)->plan();
  const auto enough = plan.arena_bytes + plan.created_bytes;
  options.max_memory = enough;
  EXPECT_NO_THROW(compile(model, options));
  options.max_memory = enough - 1;
  try {
    compile(model, options);
    FAIL() << "took more than allowed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resources);
    EXPECT_EQ(error.message(), fmt::format("the network needs {} bytes for a run and {} for weights, more than the {} allowed",
                                           plan.arena_bytes, plan.created_bytes, enough - 1));
  }
}

TEST(Plan, GivesSlicesThreadsOfTheirOwnWhenThereAreMoreThanSamplesInOne) {
  const Model single = test::generated_model(tower({{"conv", kConvolution, {"data"}}}, {"conv"}));
  const Convolution winograd{.out_channels = 64, .kernel = {3, 3}, .padding = {1, 1, 1, 1}};
  const Model four = test::generated_model(tower({{"conv", winograd, {"data"}}}, {"conv"}, {64, 13, 13}));
  const Model rows =
      test::generated_model(tower({{"flat", Flatten{}, {"data"}}, {"fc", Linear{.out_features = 5}, {"flat"}}}, {"fc"}));
  const Model needs_all = test::generated_model(tower({{"norm", BatchNorm{}, {"data"}}}, {"norm"}));
  struct Case {
    const Model& model;
    int threads;
    std::int64_t slice;
    int slices_at_once;
  };
  for (const auto& [model, threads, slice, at_once] :
       {Case{single, 1, 1, 1}, Case{single, 2, 1, 2}, Case{single, 40, 1, 32}, Case{four, 2, 4, 1}, Case{four, 4, 4, 1},
        Case{four, 5, 4, 5}, Case{rows, 3, 1, 1}, Case{needs_all, 2, 1, 1}}) {
    const Plan plan = compile(model, {.threads = threads})->plan();
    if (slice == 4 && plan.instruction_set == "SSE") continue;
    EXPECT_EQ(plan.slice, slice) << threads << " threads";
    EXPECT_EQ(plan.slices_at_once, at_once) << threads << " threads, slices of " << slice;
  }
}

TEST(Plan, HasNoMoreRowsThanAskedFor) {
  const Model model = test::generated_model(tower(
      {{"conv", kConvolution, {"data"}}, {"flat", Flatten{}, {"conv"}}, {"fc", Linear{.out_features = 5}, {"flat"}}}, {"fc"}));
  const Tensor x = test::generated_tensor({37, 16, 12, 12}, "data", 1);
  const Tensor expected = test::run(model, {x})[0];
  std::uint64_t arena = 0;
  for (const std::int64_t rows : {1, 3, 32}) {
    const auto network = compile(model, {.threads = 2, .rows = rows});
    EXPECT_EQ(network->plan().rows, rows);
    EXPECT_GT(network->plan().arena_bytes, arena) << rows << " rows";
    arena = network->plan().arena_bytes;
    Session session(network);
    EXPECT_TRUE(std::ranges::equal(test::run(session, *network, {x})[0].bytes(), expected.bytes())) << rows << " rows";
  }
  for (const std::int64_t rows : {-1, 0, 33}) {
    try {
      compile(model, {.rows = rows});
      FAIL() << rows << " rows";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_EQ(error.message(), fmt::format("{} is not within 1 to 32", rows));
    }
  }
}

TEST(Plan, RunsSlicesOneByOneWhereMemoryAllowsNoMore) {
  const Model model = test::generated_model(tower({{"conv", kConvolution, {"data"}}, {"norm", Lrn{}, {"conv"}}}, {"norm"}));
  const Tensor x = test::generated_tensor({11, 16, 12, 12}, "data", 1);
  const Plan several = compile(model, {.threads = 3})->plan();
  const auto enough = several.arena_bytes + several.created_bytes;
  EXPECT_EQ(compile(model, {.threads = 3, .max_memory = enough})->plan().slices_at_once, 3);
  const auto network = compile(model, {.threads = 3, .max_memory = enough - 1});
  EXPECT_EQ(network->plan().slices_at_once, 1);
  EXPECT_LT(network->plan().arena_bytes, several.arena_bytes);
  Session session(network);
  const auto found = test::run(session, *network, {x})[0];
  const auto expected = test::run(model, {x}, {.threads = 3})[0];
  EXPECT_TRUE(std::ranges::equal(found.bytes(), expected.bytes()));
}

TEST(Compile, RefusesAHugeNetworkBeforeTakingMemory) {
  const std::int64_t side = std::int64_t{1} << 18;
  const Model model =
      test::generated_model(tower({{"first", Relu{}, {"data"}}, {"second", Relu{}, {"first"}}}, {"second"}, {8, side, side}));
  try {
    compile(model, {.max_memory = std::uint64_t{1} << 30});
    FAIL() << "took terabytes";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("the network needs 4398046511104 bytes for a run"));
  }
}

TEST(Compile, NamesWhatCannotBeKept) {
  const Model model = test::generated_model(tower({{"conv", kConvolution, {"data"}}}, {"conv"}));
  try {
    compile(model, {.keep = {"conv9"}});
    FAIL() << "kept a layer that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.message(), "no layer or input is called 'conv9'");
  }
}

TEST(Compile, ChoosesTheFastestPrecisionThatCostsLittle) {
  Model model = test::generated_model(tower({{"conv", kConvolution, {"data"}}}, {"conv"}));
  const auto automatic = [&] { return compile(model, {.precision = Precision::automatic})->plan(); };
  EXPECT_EQ(automatic().precision, "f32") << "what is not measured is not chosen";
  EXPECT_EQ(automatic().note, "");
  model.accuracy = R"({"precisions": {"f32": {"top1": 42.0}, "int8": {"top1": 41.5}}})";
  EXPECT_EQ(automatic().precision, "f32") << "without ranges there is no int8";
  model.ranges = R"({"tensors": {"data": [-1, 1]}})";
  EXPECT_EQ(automatic().precision, instruction_set().vnni ? "int8" : "f32") << "7 bits of activations are not measured";
  model.accuracy = R"({"precisions": {"f32": {"top1": 42.0}, "int8": {"top1": 41.25}}})";
  EXPECT_EQ(automatic().precision, "f32") << "three quarters of a point are too much";
}

}  // namespace
}  // namespace alexnet
