#include "model/model.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <span>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/located.h"
#include "base/text.h"

namespace alexnet {
namespace {

using Problems = std::vector<std::string>;

void compare_weights(const std::vector<NamedParameter>& expected, const Weights& weights, Problems& found) {
  std::set<std::string> names;
  std::vector<std::string> missing;
  for (const auto& parameter : expected) {
    names.insert(parameter.name);
    const auto weight = weights.find(parameter.name);
    if (weight == weights.end()) {
      missing.push_back(parameter.name);
      found.push_back(fmt::format("{} ({}) is missing", shown(parameter.name), to_string(parameter.shape)));
    } else if (weight->second.shape != parameter.shape) {
      found.push_back(fmt::format("{} is {}, layer {} wants {}", shown(parameter.name), to_string(weight->second.shape),
                                  shown(parameter.layer), to_string(parameter.shape)));
    }
  }
  for (const auto& [name, weight] : weights) {
    if (names.contains(name)) continue;
    const auto likely = nearest(name, missing);
    found.push_back(fmt::format("{} is not expected{}", shown(name), likely ? fmt::format(" (meant as {}?)", shown(*likely)) : ""));
  }
}

void compare_preprocessing(const Preprocessing& preprocessing, const GraphInput& input, Problems& found) {
  if (preprocessing.steps.empty()) return;
  const auto shape = output_shape(preprocessing);
  if (shape != input.shape) {
    found.push_back(fmt::format("preprocessing makes {}, the input {} wants {}", shape ? to_string(*shape) : "pictures of any size",
                                shown(input.name), to_string(input.shape)));
  }
  Preprocessing copy = preprocessing;
  for (const auto& step : tensors(copy)) {
    if (step.tensor->type() != ElementType::f32) {
      found.push_back(
          fmt::format("{}, which preprocessing reads, is {}, must be F32", shown(step.name), name(step.tensor->type())));
    } else if (non_finite(Weight::of(*step.tensor))) {
      found.push_back(fmt::format("{}, which preprocessing reads, has NaN or infinite elements", shown(step.name)));
    }
  }
}

void compare_golden(const Golden& golden, std::optional<std::int64_t> classes, Problems& found) {
  const auto& input = golden.input;
  if (input.type() != ElementType::u8 || input.shape().rank() != 3 || input.shape()[2] != 3 || input.shape().elements() == 0) {
    found.push_back(fmt::format("the golden input is {} of {}, must be a picture of U8, height x width x 3",
                                to_string(input.shape()), name(input.type())));
  }
  const auto& logits = golden.logits;
  if (logits.type() != ElementType::f32 || (classes && logits.shape() != Shape{*classes})) {
    found.push_back(fmt::format("the golden logits are {} of {}, must be {} of F32", to_string(logits.shape()), name(logits.type()),
                                classes.value_or(0)));
  }
}

std::string place(const Shape& shape, std::int64_t element) {
  std::vector<std::string> at(shape.rank());
  for (std::size_t axis = shape.rank(); axis-- > 0; element /= shape[axis]) at[axis] = std::to_string(element % shape[axis]);
  return join(at, ", ");
}

}  // namespace

std::vector<std::string> problems(const Model& model) {
  Problems found;
  compare_weights(parameters(model.graph), model.weights, found);
  const auto classes = class_count(model.graph);
  if (!model.labels.empty() && (!classes || static_cast<std::size_t>(*classes) != model.labels.size())) {
    found.push_back(fmt::format("there are {} labels for {} outputs of {}", model.labels.size(), classes.value_or(0),
                                shown(logits_name(model.graph))));
  }
  compare_preprocessing(model.preprocessing, model.graph.inputs.front(), found);
  if (model.golden) compare_golden(*model.golden, classes, found);
  return found;
}

void refuse_if_any(const std::vector<std::string>& problems, const std::string& where, const std::string& hint) {
  constexpr std::size_t kShown = 20;
  if (problems.empty()) return;
  std::string message = join(std::span(problems).first(std::min(problems.size(), kShown)), "; ");
  if (problems.size() > kShown) message += fmt::format("; and {} more", problems.size() - kShown);
  throw Error(ErrorKind::model, where, message, hint);
}

void check(const Model& model, const std::string& where) {
  refuse_if_any(located(where, [&] { return problems(model); }), where);
}

void check_finite(const Weights& weights, const std::string& where, int threads) {
  std::vector<const Weight*> all;
  for (const auto& [name, weight] : weights) all.push_back(&weight);
  std::vector<std::optional<NonFinite>> results(all.size());
  std::atomic<std::size_t> next = 0;
  const auto look = [&] {
    for (std::size_t i = next++; i < all.size(); i = next++) results[i] = non_finite(*all[i]);
  };
  {
    std::vector<std::jthread> others;
    try {
      while (static_cast<int>(others.size()) < threads - 1) others.emplace_back(look);
    } catch (const std::system_error&) {  // fewer do it, too
    }
    look();
  }
  Problems found;
  auto result = results.begin();
  for (const auto& [name, weight] : weights) {
    const auto bad = *result++;
    if (!bad) continue;
    const bool scales = weight.storage == Storage::int8 || weight.storage == Storage::int8_sparse;
    found.push_back(fmt::format("{} has {} NaN or infinite {}, the first at [{}]", shown(name), bad->count,
                                scales ? "scales" : "elements", place(scales ? weight.scale.shape() : weight.shape, bad->first)));
  }
  refuse_if_any(found, where, "--allow-nonfinite uses them as they are");
}

std::string logits_name(const Graph& graph) {
  const auto& output = graph.outputs.front();
  const Node* node = find(graph, output);
  return node != nullptr && std::holds_alternative<Softmax>(node->layer) ? node->inputs.front() : output;
}

std::optional<std::int64_t> class_count(const Graph& graph) {
  const Shape shape = infer_shapes(graph, 1).at(logits_name(graph));
  if (shape.rank() != 2) return std::nullopt;
  return shape[1];
}

Weights stored(const Weights& weights, Storage storage) {
  Weights result;
  for (const auto& [name, weight] : weights) {
    result.emplace(name, located(name, [&] {
                     const Tensor wide = widened(weight);
                     Weight one = stored(wide, weight.shape.rank() < 2 ? Storage::f32 : storage);
                     const auto dense_bytes = static_cast<std::uint64_t>(one.shape.elements()) + one.scale.byte_count();
                     if (one.storage == Storage::int8_sparse && byte_count(one) > dense_bytes) one = stored(wide, Storage::int8);
                     return one;
                   }));
  }
  return result;
}

}  // namespace alexnet
