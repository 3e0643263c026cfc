#include "tests/runtime/generated.h"

#include <cmath>
#include <span>

namespace alexnet::test {
namespace {

// FNV-1a.
std::uint32_t seed_of(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

// The permutation of PCG (O'Neill 2014), on a counter.
float element(std::uint32_t seed, std::uint32_t index) {
  const std::uint32_t state = (index ^ seed) * 747796405u + 2891336453u;
  const std::uint32_t word = ((state >> ((state >> 28) + 4)) ^ state) * 277803737u;
  const std::uint32_t bits = (word >> 22) ^ word;
  return static_cast<float>(bits >> 8) * 0x1p-23f - 1.0f;
}

}  // namespace

float generated(std::string_view name, std::uint32_t index) { return element(seed_of(name), index); }

Tensor generated_tensor(const Shape& shape, std::string_view name, float limit) {
  Tensor tensor = Tensor::zeros(shape);
  const auto seed = seed_of(name);
  std::uint32_t index = 0;
  for (float& value : tensor.mutable_values<float>()) value = limit * element(seed, index++);
  return tensor;
}

Weights generated_weights(const Graph& graph) {
  Weights weights;
  for (const auto& parameter : parameters(graph)) {
    const auto last = parameter.name.substr(parameter.name.rfind('.') + 1);
    const double fan_in = parameter.shape.rank() < 2 ? 1 : static_cast<double>(parameter.shape.elements() / parameter.shape[0]);
    const float limit = last == "weight"                                       ? static_cast<float>(std::sqrt(6 / fan_in))
                        : last == "bias" || last == "mean" || last == "offset" ? 0.1f
                                                                               : 0.25f;
    Tensor tensor = generated_tensor(parameter.shape, parameter.name, limit);
    if (last == "variance" || last == "scale")
      for (float& value : tensor.mutable_values<float>()) value += 1;
    weights[parameter.name] = Weight::of(tensor);
  }
  return weights;
}

Model generated_model(Graph graph) {
  Model model;
  model.graph = checked(std::move(graph));
  model.weights = generated_weights(model.graph);
  return model;
}

}  // namespace alexnet::test
