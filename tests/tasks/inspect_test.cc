#include "tasks/inspect.h"

#include "alexnet/error.h"
#include "image/preprocess.h"
#include "model/architecture.h"
#include "tasks/classify.h"
#include "tasks/golden.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

TEST(Inspect, CountsWhatIsKnownOfTheFourArchitectures) {
  // Parameters: torchvision's documentation (61,100,840) and counts by PyTorch's numel; multiply-adds: performance figures that
  // papers and profilers agree on (torchvision 714 M; bvlc and caffenet 724 M; paper, ungrouped, 1.135 G).
  struct Case {
    std::string name;
    std::int64_t parameters;
    std::int64_t multiply_adds;
  };
  for (const auto& [name, parameter_count, multiply_adds] :
       {Case{"torchvision", 61'100'840, 714'188'480}, Case{"bvlc", 60'965'224, 724'406'816},
        Case{"caffenet", 60'965'224, 724'406'816}, Case{"paper", 62'378'344, 1'135'256'096}}) {
    Model model;
    model.graph = architecture(name).graph;
    const Inspection found = inspect(model);
    EXPECT_EQ(found.parameter_count, parameter_count) << name;
    EXPECT_EQ(found.multiply_adds, multiply_adds) << name;
  }
}

TEST(Inspect, ListsLayersAndTensors) {
  const Inspection found = inspect(test::tiny_model());
  ASSERT_EQ(found.layers.size(), 12u);
  const LayerRow& conv = found.layers[4];
  EXPECT_EQ(conv.name, "conv2");
  EXPECT_EQ(conv.kind, "convolution");
  EXPECT_EQ(conv.parameters, "out_channels=32 kernel=[3,3] padding=[1,1,1,1] groups=2");
  EXPECT_EQ(conv.output, (Shape{32, 6, 6}));
  EXPECT_EQ(conv.parameter_count, 32 * 8 * 9 + 32);
  EXPECT_EQ(conv.multiply_adds, 32 * 8 * 9 * 36);
  EXPECT_EQ(conv.storage, "f32");
  EXPECT_EQ(found.tensors.size(), 8u);
  EXPECT_EQ(found.weight_bytes, 4u * 22'698);
}

Model with_golden(float shift) {
  Model model = test::tiny_model();
  Tensor picture = Tensor::allocate(ElementType::u8, {40, 50, 3});
  for (std::size_t i = 0; i < picture.byte_count(); ++i)
    picture.mutable_values<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * i % 251);
  Image image{.width = 50, .height = 40, .pixels = {}};
  image.pixels.assign(picture.values<std::uint8_t>().begin(), picture.values<std::uint8_t>().end());
  const auto network = compile_for_scores(model, {.threads = 1}).network;
  const Tensor input = preprocess(model.preprocessing, image);
  Tensor logits = Tensor::zeros({10});
  const std::span<const float> source = input.values<float>();
  const std::span<float> destination = logits.mutable_values<float>();
  Session(network).run(1, {&source, 1}, {&destination, 1});
  destination[3] += shift;
  model.golden = Golden{picture, logits};
  return model;
}

TEST(CheckGolden, AgreesWithItselfAndNoticesADifference) {
  const auto good = check_golden(with_golden(0), {.threads = 2});
  EXPECT_TRUE(good.agrees);
  EXPECT_EQ(good.largest_difference, 0);
  EXPECT_GT(good.largest_logit, 0.1);
  const auto bad = check_golden(with_golden(0.01f), {.threads = 2});
  EXPECT_FALSE(bad.agrees);
  EXPECT_NEAR(bad.largest_difference, 0.01, 1e-5);
  EXPECT_THROW(check_golden(test::tiny_model(), {.threads = 1}), Error);
}

}  // namespace
}  // namespace alexnet
