#include "tests/layers/finite_cases.h"

#include "tests/layers/golden.h"

namespace alexnet::test {

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

std::vector<Tensor> finite_inputs() {
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

std::vector<Tensor> finite_parameters(const Layer& layer, const Shape& input) {
  std::vector<Tensor> learned;
  for (const auto& parameter : parameters(layer, std::span(&input, 1))) {
    const bool spread = parameter.name == "variance" || parameter.name == "moment";
    learned.push_back(generated(parameter.shape, 5, spread ? 0 : -2, spread ? 0 : 2));
  }
  return learned;
}

}  // namespace alexnet::test
