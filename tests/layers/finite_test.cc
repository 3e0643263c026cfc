// Finite in, finite out: whatever |x| <= 1e4 holds, as long as k and epsilon are positive.
#include <cmath>

#include "layers/layer.h"
#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

std::vector<Layer> normalisations() {
  std::vector<Layer> all{BatchNorm{},
                         BatchStatisticsNorm{},
                         FilterResponseNorm{},
                         GroupNorm{.groups = 2},
                         InstanceNorm{},
                         LayerNorm{},
                         LocalContrastNorm{},
                         LocalMeanSubtraction{},
                         SwitchableNorm{},
                         Softmax{},
                         MovingAverageBatchNorm{},
                         LayerNorm{.axis = 3},
                         SwitchableNorm{.batch_part = BatchPart::none},
                         SwitchableNorm{.batch_part = BatchPart::of_batch},
                         LocalContrastNorm{.across_channels = true}};
  for (const auto region : {LrnRegion::across_channels, LrnRegion::within_channel}) {
    for (const double beta : {0.5, 0.75, 2.0}) {
      for (const std::int64_t size : {1, 4, 5, 9}) {
        for (const double k : {1e-6, 1.0, 2.0}) all.push_back(Lrn{region, size, /*alpha=*/1, beta, k, EvenWindow::before, 1});
      }
    }
  }
  return all;
}

std::vector<Tensor> inputs() {
  std::vector<Tensor> all;
  for (const Shape& shape : {Shape{2, 4, 3, 5}, Shape{1, 2, 1, 1}, Shape{1, 6, 1, 7}}) {
    for (const double constant : {0.0, 1e4, -1e4, 1e-20, 0.1}) all.push_back(generated(shape, 1, constant, constant));
    all.push_back(generated(shape, 2, -1e4, 1e4));
    all.push_back(generated(shape, 3, 9999.9, 1e4));
    all.push_back(generated(shape, 4, -1e-30, 1e-30));
    Tensor one = Tensor::zeros(shape);
    one.mutable_values<float>().back() = -1e4f;
    all.push_back(one);
  }
  return all;
}

TEST(Normalisations, AreFiniteForAllFiniteInputs) {
  std::size_t checked = 0;
  for (const auto& layer : normalisations()) {
    for (const auto& input : inputs()) {
      const Shape shape = input.shape();
      std::vector<Tensor> learned;
      for (const auto& parameter : parameters(layer, std::span(&shape, 1))) {
        const bool spread = parameter.name == "variance" || parameter.name == "moment";
        learned.push_back(generated(parameter.shape, 5, spread ? 0 : -2, spread ? 0 : 2));
      }
      const auto y = reference(layer, std::span(&input, 1), learned);
      EXPECT_THAT(y.values<float>(), testing::Each(testing::Truly([](float value) { return std::isfinite(value); })))
          << to_string(shape) << " through " << kind(layer);
      ++checked;
    }
  }
  EXPECT_EQ(checked, normalisations().size() * 27);
}

}  // namespace
}  // namespace alexnet::test
