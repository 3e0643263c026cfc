#include "tests/runtime/generated.h"

#include <cmath>
#include <cstdint>
#include <utility>

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

std::uint32_t seed_of(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

Tensor generated_parameter(const NamedParameter& parameter) {
  const std::string_view last = std::string_view(parameter.name).substr(parameter.name.rfind('.') + 1);
  if (last == "variance" || last == "moment" || last == "scale")
    return generated(parameter.shape, seed_of(parameter.name), 0.75, 1.25);
  if (last != "weight") return generated_tensor(parameter.shape, parameter.name, 0.1);
  const auto fan_in = static_cast<double>(parameter.shape.elements() / parameter.shape[0]);
  return generated_tensor(parameter.shape, parameter.name, std::sqrt(6 / fan_in));
}

}  // namespace

Tensor generated_tensor(const Shape& shape, std::string_view name, double limit) {
  return generated(shape, seed_of(name), -limit, limit);
}

Model generated_model(Graph graph) {
  Model model;
  model.graph = checked(std::move(graph));
  for (const auto& parameter : parameters(model.graph)) model.weights[parameter.name] = Weight::of(generated_parameter(parameter));
  return model;
}

Graph narrow(Graph graph) {
  for (Node& node : graph.nodes) {
    if (auto* convolution = std::get_if<Convolution>(&node.layer)) convolution->out_channels /= 4;
    if (auto* linear = std::get_if<Linear>(&node.layer)) linear->out_features /= 16;
  }
  return graph;
}

}  // namespace alexnet::test
