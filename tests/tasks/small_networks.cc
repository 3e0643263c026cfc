#include "tests/tasks/small_networks.h"

#include "model/architecture.h"
#include "tests/runtime/generated.h"

namespace alexnet::test {

Model reduced_network(const std::string& name) {
  const Architecture known = architecture(name);
  Graph graph = known.graph;
  const std::int64_t side = name == "torchvision" ? 95 : 99;
  graph.inputs[0].shape = {3, side, side};
  for (Node& node : graph.nodes) {
    if (auto* layer = std::get_if<Convolution>(&node.layer)) layer->out_channels /= 16;
    if (auto* layer = std::get_if<Linear>(&node.layer)) layer->out_features = layer->out_features == 1000 ? 20 : 32;
  }
  Model model = generated_model(graph);
  model.preprocessing = known.preprocessing;
  for (Step& step : model.preprocessing.steps) {
    if (name == "krizhevsky2012" && std::holds_alternative<Normalize>(step)) {
      // As its code did it.
      Tensor mean = generated_tensor({3, side, side}, "mean", 20);
      for (float& value : mean.mutable_values<float>()) value += 110;
      step = MeanImage{.tensor = "mean", .mean = mean};
    }
    if (auto* crop = std::get_if<CenterCrop>(&step)) crop->size = {side, side};
    if (auto* resize = std::get_if<Resize>(&step)) {
      if (resize->shorter) resize->shorter = side + 1;
      if (resize->size) resize->size = HeightWidth{side + 1, side + 1};
    }
  }
  return model;
}

Model normalised_network() {
  Graph graph;
  graph.inputs = {{"data", {3, 38, 38}}};
  graph.nodes = {
      {"conv1", Convolution{.out_channels = 8, .kernel = {5, 5}, .padding = {2, 2, 2, 2}}, {"data"}},
      {"bn1", BatchNorm{}, {"conv1"}},
      {"relu1", Relu{}, {"bn1"}},
      {"pool1", MaxPool{.kernel = {3, 3}, .stride = {2, 2}}, {"relu1"}},
      {"conv2", Convolution{.out_channels = 12, .kernel = {3, 3}, .padding = {1, 1, 1, 1}, .groups = 2}, {"pool1"}},
      {"bn2", BatchNorm{}, {"conv2"}},
      {"relu2", Relu{}, {"bn2"}},
      {"pool2", MaxPool{.kernel = {2, 2}, .stride = {3, 3}}, {"relu2"}},
      {"average", AdaptiveAveragePool{.output = {3, 3}}, {"pool2"}},
      {"flatten", Flatten{}, {"average"}},
      {"drop3", Dropout{.ratio = 0.2}, {"flatten"}},
      {"fc3", Linear{.out_features = 10}, {"drop3"}},
      {"prob", Softmax{}, {"fc3"}},
  };
  graph.outputs = {"prob"};
  Model model = generated_model(graph);
  model.preprocessing.steps = {Resize{.shorter = 40, .size = {}}, CenterCrop{.size = {38, 38}}, Divide{255},
                               Normalize{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}}};
  return model;
}

}  // namespace alexnet::test
