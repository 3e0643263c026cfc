// bf16, emulated where the processor has no instructions for it.
#include <algorithm>
#include <cmath>

#include "model/architecture.h"
#include "runtime/instruction_set.h"
#include "tests/runtime/generated.h"
#include "tests/runtime/running.h"

namespace alexnet {
namespace {

const CompileOptions kBf16{.threads = 2, .precision = Precision::bf16, .emulate_bf16 = true};

Tensor rounded(const Tensor& tensor) { return widened(stored(tensor, Storage::bf16)); }

TEST(Bf16Layer, ConvolvesWhatIsRoundedToBf16) {
  if (instruction_set().simd < SimdLevel::avx512) GTEST_SKIP() << "bf16 needs AVX-512";
  for (const Convolution& layer : {Convolution{.out_channels = 32, .kernel = {11, 11}, .stride = {4, 4}},
                                   Convolution{.out_channels = 32, .kernel = {5, 5}, .padding = {2, 2, 2, 2}, .groups = 2},
                                   Convolution{.out_channels = 48, .kernel = {3, 3}, .padding = {1, 1, 1, 1}}}) {
    const Shape sample{layer.groups == 1 && layer.kernel[0] > 3 ? 3 : 32, 31, 31};
    const Model model = test::generated_model(
        {.inputs = {{"data", sample}}, .nodes = {{"conv", layer, {"data"}}, {"relu", Relu{}, {"conv"}}}, .outputs = {"relu"}});
    const Tensor x = test::generated_tensor(sample.with_batch(2), "data", 2);
    const auto network = compile(model, kBf16);
    EXPECT_EQ(test::step_of(network->plan(), "conv")->precision, "bf16");
    Session session(network);
    const Tensor y = test::run(session, *network, {x}).front();
    const Tensor from = rounded(x);
    const Tensor weight = rounded(widened(model.weights.at("conv.weight")));
    const std::vector<Tensor> parameters{weight, widened(model.weights.at("conv.bias"))};
    const Tensor expected = reference(Relu{}, std::array{reference(layer, std::span(&from, 1), parameters)}, {});
    // At most 2 in size each: the sum of |terms| of one output. It is added up in f32, and rounded to 8 bits once.
    double terms = 0;
    const auto row = static_cast<std::size_t>(weight.shape().elements() / weight.shape()[0]);
    for (std::size_t at = 0; at < weight.values<float>().size(); at += row) {
      double sum = 1;
      for (const float w : weight.values<float>().subspan(at, row)) sum += 2 * std::fabs(static_cast<double>(w));
      terms = std::max(terms, sum);
    }
    const double added = std::sqrt(static_cast<double>(row)) * std::ldexp(terms, -24);
    for (std::size_t i = 0; i < y.values<float>().size(); ++i) {
      const double wanted = static_cast<double>(expected.values<float>()[i]);
      ASSERT_NEAR(static_cast<double>(y.values<float>()[i]), wanted, std::ldexp(std::fabs(wanted), -8) + added) << i;
    }
  }
}

// What eight layers of 8 bits leave: each rounds to 2^-9 of itself, and errors add up about as the square root of their count.
TEST(Bf16Layer, NetworksStayCloseToF32) {
  if (instruction_set().simd < SimdLevel::avx512) GTEST_SKIP() << "bf16 needs AVX-512";
  for (const auto& name : architecture_names()) {
    const Model model = test::generated_model(test::narrow(architecture(name).graph));
    const Tensor x = test::generated_tensor(model.graph.inputs[0].shape.with_batch(2), "data", 3);
    CompileOptions options = kBf16;
    options.keep = {logits_name(model.graph)};
    CompileOptions exact{.threads = 2, .keep = options.keep};
    const Tensor found = test::run(model, {x}, options).back();
    const Tensor wanted = test::run(model, {x}, exact).back();
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < found.values<float>().size(); ++i) {
      const double value = static_cast<double>(wanted.values<float>()[i]);
      largest = std::max(largest, std::fabs(value));
      difference = std::max(difference, std::fabs(static_cast<double>(found.values<float>()[i]) - value));
    }
    EXPECT_GT(difference, 0) << name << " was computed in f32";
    EXPECT_LT(difference, 2e-2 * largest) << name;
  }
}

TEST(Bf16Plan, SaysWhereItRunsInF32) {
  const Model model = test::generated_model(test::narrow(architecture("bvlc").graph));
  const Plan plan = compile(model, {.precision = Precision::bf16})->plan();
  const InstructionSet instructions = instruction_set();
  if (instructions.bf16) {
    EXPECT_EQ(plan.precision, "bf16");
    EXPECT_EQ(plan.note, "");
    return;
  }
  EXPECT_EQ(plan.precision, "f32");
  EXPECT_EQ(plan.note, instructions.simd < SimdLevel::avx512
                           ? "asked for bf16, computed in f32: bf16 needs AVX-512"
                           : "asked for bf16, computed in f32: without instructions for bf16 this processor is faster in f32");
}

}  // namespace
}  // namespace alexnet
