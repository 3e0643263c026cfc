#include "tasks/run.h"

#include "alexnet/error.h"
#include "tasks/named_network.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

Tensor ramp(const Shape& shape) {
  Tensor tensor = Tensor::zeros(shape);
  float value = -1;
  for (float& element : tensor.mutable_values<float>()) element = value += 1.0f / 1024;
  return tensor;
}

TEST(Run, TakesASampleOrABatchAndGivesEveryOutputWithItsBatch) {
  const auto network = compile_named(test::tiny_model(), {"fc4", "conv1"}, {.threads = 2});
  const Tensor batch = ramp({70, 3, 32, 32});  // more than one session run takes
  const auto all = run(network, {{"data", batch}}, nullptr);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "fc4");
  EXPECT_EQ(all[0].tensor.shape(), (Shape{70, 10}));
  EXPECT_EQ(all[1].tensor.shape(), (Shape{70, 16, 14, 14}));
  const auto sample = std::span(batch.values<float>()).subspan(69 * 3 * 32 * 32, 3 * 32 * 32);
  const auto one = run(network, {{"data", Tensor::of(Shape{3, 32, 32}, sample)}}, nullptr);
  EXPECT_EQ(one[0].tensor.shape(), (Shape{1, 10}));
  EXPECT_TRUE(std::ranges::equal(one[0].tensor.values<float>(), all[0].tensor.values<float>().subspan(690, 10)));
}

TEST(Run, ComputesWithAnyNumbersAsFloats) {
  const auto network = compile_named(test::tiny_model(), CompileOptions{.threads = 1});
  Tensor bytes = Tensor::allocate(ElementType::u8, {3, 32, 32});
  Tensor floats = Tensor::zeros({3, 32, 32});
  for (std::size_t i = 0; i < 3 * 32 * 32; ++i) {
    bytes.mutable_values<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 7);
    floats.mutable_values<float>()[i] = static_cast<float>(i % 7);
  }
  EXPECT_TRUE(std::ranges::equal(run(network, {{"data", bytes}}, nullptr)[0].tensor.values<float>(),
                                 run(network, {{"data", floats}}, nullptr)[0].tensor.values<float>()));
}

TEST(Run, NamesTheInputAndBothShapes) {
  const auto network = compile_named(test::tiny_model(), CompileOptions{.threads = 1});
  struct Case {
    std::vector<NamedTensor> inputs;
    std::string message;
  };
  for (const auto& [inputs, message] : {
           Case{{{"data", ramp({3, 32, 31})}}, "input 'data': has shape 3x32x31 (the network takes 3x32x32, or a batch of them)"},
           Case{{{"data", ramp({2, 2, 3, 32, 32})}},
                "input 'data': has shape 2x2x3x32x32 (the network takes 3x32x32, or a batch of them)"},
           Case{{{"image", ramp({3, 32, 32})}}, "input 'image': is not in the network (it takes data (3x32x32))"},
           Case{{{"data", ramp({3, 32, 32})}, {"data", ramp({3, 32, 32})}}, "input 'data': is given twice"},
           Case{{}, "input 'data': is missing (the network takes data (3x32x32))"},
       }) {
    try {
      run(network, inputs, nullptr);
      ADD_FAILURE() << "accepted: " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.what(), message);
      EXPECT_EQ(error.kind(), ErrorKind::usage);
    }
  }
}

TEST(Run, GivesUpWhenAsked) {
  const std::atomic<int> stop = 2;
  EXPECT_TRUE(run(compile_named(test::tiny_model(), CompileOptions{.threads = 1}), {{"data", ramp({3, 32, 32})}}, &stop).empty());
}

}  // namespace
}  // namespace alexnet
