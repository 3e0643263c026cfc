#include "tests/model/small_model.h"

#include <random>

namespace alexnet::test {

Model small_model() {
  Model model;
  model.graph = {
      .inputs = {{"data", {3, 8, 8}}},
      .nodes = {{"conv1", Convolution{.out_channels = 5, .kernel = {3, 3}}, {"data"}},
                {"bn1", BatchNorm{}, {"conv1"}},
                {"conv1.relu", Relu{}, {"bn1"}},
                {"flatten", Flatten{}, {"conv1.relu"}},
                {"fc2", Linear{.out_features = 4}, {"flatten"}},
                {"prob", Softmax{}, {"fc2"}}},
      .outputs = {"prob"},
  };
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  const auto random = [&](const Shape& shape, unsigned one_in) {
    Tensor tensor = Tensor::zeros(shape);
    for (float& value : tensor.mutable_values<float>()) value = generator() % one_in == 0 ? normal(generator) : 0.0f;
    return tensor;
  };
  for (const auto& parameter : parameters(model.graph)) {
    model.weights.emplace(parameter.name, Weight::of(random(parameter.shape, parameter.shape.rank() > 1 ? 4 : 1)));
  }
  model.preprocessing.steps = {CenterCrop{.size = {8, 8}}};
  model.labels = {{"n1", "crane"}, {"n2", "crane"}, {"n3", "caf\u00e9"}, {"n4", "tabby, tabby cat"}};
  model.provenance = R"({"source":"seed 1"})";
  Tensor picture = Tensor::allocate(ElementType::u8, {8, 8, 3});
  for (auto& byte : picture.mutable_values<std::uint8_t>()) byte = static_cast<std::uint8_t>(generator());
  model.golden = Golden{.input = picture, .logits = random({4}, 1)};
  return model;
}

}  // namespace alexnet::test
