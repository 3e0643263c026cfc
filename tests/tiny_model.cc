#include "tests/tiny_model.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "model/model_file.h"

namespace alexnet::test {
namespace {

constexpr const char* kGraph = R"({
  "inputs": [{"name": "data", "shape": [3, 32, 32]}],
  "layers": [
    {"name": "conv1", "kind": "convolution", "inputs": ["data"], "out_channels": 16, "kernel": [5, 5], "stride": [2, 2]},
    {"name": "conv1.relu", "kind": "relu", "inputs": ["conv1"]},
    {"name": "norm1", "kind": "lrn", "inputs": ["conv1.relu"], "local_size": 5, "alpha": 0.0001, "beta": 0.75, "k": 2},
    {"name": "pool1", "kind": "max_pool", "inputs": ["norm1"], "kernel": [3, 3], "stride": [2, 2]},
    {"name": "conv2", "kind": "convolution", "inputs": ["pool1"], "out_channels": 32, "kernel": [3, 3], "padding": [1, 1, 1, 1], "groups": 2},
    {"name": "conv2.relu", "kind": "relu", "inputs": ["conv2"]},
    {"name": "pool2", "kind": "max_pool", "inputs": ["conv2.relu"], "kernel": [2, 2], "stride": [2, 2]},
    {"name": "flatten", "kind": "flatten", "inputs": ["pool2"]},
    {"name": "fc3", "kind": "linear", "inputs": ["flatten"], "out_features": 64},
    {"name": "fc3.relu", "kind": "relu", "inputs": ["fc3"]},
    {"name": "fc4", "kind": "linear", "inputs": ["fc3.relu"], "out_features": 10},
    {"name": "prob", "kind": "softmax", "inputs": ["fc4"]}
  ],
  "outputs": ["prob"]
})";

constexpr const char* kPreprocessing = R"([
  {"step": "resize", "shorter": 36},
  {"step": "center_crop", "size": [32, 32]},
  {"step": "divide", "by": 255},
  {"step": "normalize", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
])";

// Numbers of a linear congruential generator, evenly between -limit and limit.
Tensor random_tensor(const Shape& shape, float limit, std::uint64_t& state) {
  Tensor tensor = Tensor::zeros(shape);
  for (float& value : tensor.mutable_values<float>()) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = limit * (static_cast<float>(state >> 40) / static_cast<float>(1 << 23) - 1.0f);
  }
  return tensor;
}

}  // namespace

Model tiny_model() {
  Model model;
  model.graph = graph_from_json(Json::parse(kGraph));
  model.preprocessing = preprocessing_from_json(Json::parse(kPreprocessing), "tiny model");
  std::uint64_t state = 1;
  for (const auto& parameter : parameters(model.graph)) {
    // Keeps activations at about the size of the input.
    const auto fan_in = static_cast<float>(parameter.shape.elements() / parameter.shape[0]);
    model.weights[parameter.name] = Weight::of(random_tensor(parameter.shape, std::sqrt(6.0f / fan_in), state));
  }
  for (int i = 0; i < 10; ++i) model.labels.push_back({fmt::format("n0000000{}", i), fmt::format("thing {}, \"quoted\"", i)});
  model.provenance = R"({"source": "random numbers"})";
  return model;
}

std::filesystem::path write_tiny_model(const std::filesystem::path& folder) {
  const auto file = folder / "tiny.safetensors";
  write_model(tiny_model(), file);
  return file;
}

}  // namespace alexnet::test
