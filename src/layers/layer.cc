#include "layers/layer.h"

namespace alexnet {

std::string_view kind(const Layer& layer) {
  return std::visit([](const auto& l) { return l.kKind; }, layer);
}

InputCount input_count(const Layer& layer) {
  return std::visit(
      []<typename Kind>(const Kind&) -> InputCount {
        if constexpr (requires { Kind::kInputs; }) {
          return Kind::kInputs;
        } else {
          return {};
        }
      },
      layer);
}

bool batch_coupled(const Layer& layer) {
  return std::visit(
      []<typename Kind>(const Kind& l) {
        if constexpr (requires { l.couples_batch(); }) {
          return l.couples_batch();
        } else {
          return false;
        }
      },
      layer);
}

// Each visit takes the address of the kind's own overload: a kind without one must not compile, rather than convert to Layer
// and call this function again.

Shape output_shape(const Layer& layer, std::span<const Shape> inputs) {
  return std::visit(
      [&]<typename Kind>(const Kind& l) {
        constexpr Shape (*own)(const Kind&, std::span<const Shape>) = output_shape;
        return own(l, inputs);
      },
      layer);
}

std::vector<Parameter> parameters(const Layer& layer, std::span<const Shape> inputs) {
  return std::visit(
      [&]<typename Kind>(const Kind& l) {
        constexpr std::vector<Parameter> (*own)(const Kind&, std::span<const Shape>) = parameters;
        return own(l, inputs);
      },
      layer);
}

Tensor reference(const Layer& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters) {
  return std::visit(
      [&]<typename Kind>(const Kind& l) {
        constexpr Tensor (*own)(const Kind&, std::span<const Tensor>, std::span<const Tensor>) = reference;
        return own(l, inputs, parameters);
      },
      layer);
}

}  // namespace alexnet
