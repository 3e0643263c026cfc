#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "tasks/diagnosis/edit.h"

namespace alexnet::suspect {
namespace {

std::string key_of(const std::string& layer, const std::string& key, const std::string& value) {
  return fmt::format("\"{}\": {} in layer {} of the graph", key, value, layer);
}

}  // namespace

std::vector<Change> lrn_alpha(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  for (const Node& node : model.graph.nodes) {
    const auto* layer = std::get_if<Lrn>(&node.layer);
    if (layer == nullptr) continue;
    const auto size = static_cast<double>(layer->local_size);
    const double count = layer->region == LrnRegion::across_channels ? size : size * size;
    for (const bool sum : {true, false}) {
      const double alpha = sum ? layer->alpha * count : layer->alpha / count;
      // Rounded as people write it: 1e-4 * 5 / 5.
      const double tidy = parse_number(fmt::format("{:.12g}", alpha)).value_or(alpha);
      changes.push_back(
          {.suspect = "lrn_alpha",
           .variant = sum ? "of the sum" : "of the mean",
           .layer = node.name,
           .finding = sum ? fmt::format("does not divide alpha by {}: it is a factor of the sum", shortest(count))
                          : fmt::format("divides alpha by {} once more: it is a factor of the mean", shortest(count)),
           .advice = fmt::format("{}, or convert --lrn {}", key_of(node.name, "alpha", shortest(tidy)), sum ? "paper" : "pytorch"),
           .apply = [name = node.name, tidy](Model& m) {
             auto* lrn = layer_as<Lrn>(m, name);
             if (lrn != nullptr) lrn->alpha = tidy;
             return lrn != nullptr;
           }});
    }
  }
  return changes;
}

std::vector<Change> lrn_k(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  for (const Node& node : model.graph.nodes) {
    const auto* layer = std::get_if<Lrn>(&node.layer);
    if (layer == nullptr) continue;
    for (const double k : {1.0, 2.0}) {
      if (layer->k == k) continue;
      changes.push_back({.suspect = "lrn_k",
                         .variant = shortest(k),
                         .layer = node.name,
                         .finding = fmt::format("has k {}, ours {}", shortest(k), shortest(layer->k)),
                         .advice = key_of(node.name, "k", shortest(k)),
                         .apply = [name = node.name, k](Model& m) {
                           auto* lrn = layer_as<Lrn>(m, name);
                           if (lrn != nullptr) lrn->k = k;
                           return lrn != nullptr;
                         }});
    }
  }
  return changes;
}

std::vector<Change> pool_rounding(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const auto add = [&](const Node& node, Rounding now) {
    const std::string wanted = now == Rounding::floor ? "ceil" : "floor";
    changes.push_back({.suspect = "pool_rounding",
                       .variant = wanted,
                       .layer = node.name,
                       .finding = fmt::format("rounds its output size {}", now == Rounding::floor ? "up" : "down"),
                       .advice = key_of(node.name, "rounding", fmt::format("\"{}\"", wanted)),
                       .apply = [name = node.name](Model& m) {
                         const auto turn = [](auto* pool) {
                           if (pool != nullptr)
                             pool->rounding = pool->rounding == Rounding::floor ? Rounding::ceil : Rounding::floor;
                           return pool != nullptr;
                         };
                         return turn(layer_as<MaxPool>(m, name)) || turn(layer_as<AveragePool>(m, name));
                       }});
  };
  for (const Node& node : model.graph.nodes) {
    if (const auto* pool = std::get_if<MaxPool>(&node.layer)) add(node, pool->rounding);
    if (const auto* pool = std::get_if<AveragePool>(&node.layer)) add(node, pool->rounding);
  }
  return changes;
}

std::vector<Change> dropout_scaling(const Model& model, EditedWeights&) {
  std::vector<Change> changes;
  const auto add = [&](const Node& node, const std::string& variant, double factor, const std::string& finding) {
    changes.push_back({.suspect = "dropout_scaling",
                       .variant = variant,
                       .layer = node.name,
                       .finding = finding,
                       .advice = factor == 1 ? fmt::format("\"factor\": 1 in layer {} of the graph", node.name)
                                             : fmt::format("\"kind\": \"scale\", \"factor\": {} in place of layer {} of the graph",
                                                           shortest(factor), node.name),
                       .apply = [name = node.name, factor](Model& m) { return replace_layer(m, name, Scale{.factor = factor}); }});
  };
  for (const Node& node : model.graph.nodes) {
    if (const auto* dropout = std::get_if<Dropout>(&node.layer); dropout != nullptr && dropout->ratio > 0 && dropout->ratio < 1) {
      const double kept = 1 - dropout->ratio;
      add(node, "kept", kept, fmt::format("multiplies by {} at inference", shortest(kept)));
      add(node, "1 / kept", 1 / kept, fmt::format("divides by {} at inference, as in training", shortest(kept)));
    }
    if (const auto* scale = std::get_if<Scale>(&node.layer); scale != nullptr && scale->factor != 1)
      add(node, "none", 1, fmt::format("does not multiply by {}", shortest(scale->factor)));
  }
  return changes;
}

std::vector<Change> batch_norm_epsilon(const Model& model, EditedWeights&) {
  // PyTorch, ONNX and Caffe; TensorFlow and Keras; older recipes.
  constexpr std::array kEpsilons{1e-5, 1e-3, 1e-4, 1e-6, 1e-8, 1e-12, 0.0, 1e-2};
  std::vector<Change> changes;
  for (const Node& node : model.graph.nodes) {
    const auto* layer = std::get_if<BatchNorm>(&node.layer);
    if (layer == nullptr) continue;
    for (const double epsilon : kEpsilons) {
      if (layer->epsilon == epsilon) continue;
      changes.push_back({.suspect = "batch_norm_epsilon",
                         .variant = shortest(epsilon),
                         .layer = node.name,
                         .finding = fmt::format("has epsilon {}, ours {}", shortest(epsilon), shortest(layer->epsilon)),
                         .advice = key_of(node.name, "epsilon", shortest(epsilon)),
                         .apply = [name = node.name, epsilon](Model& m) {
                           auto* norm = layer_as<BatchNorm>(m, name);
                           if (norm != nullptr) norm->epsilon = epsilon;
                           return norm != nullptr;
                         }});
    }
  }
  return changes;
}

}  // namespace alexnet::suspect
