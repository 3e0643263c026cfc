#include "tasks/rounding.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

#include "passes/part.h"
#include "tasks/named_network.h"
#include "tasks/run.h"

namespace alexnet {
namespace {

// From root mean squares to the largest error of millions: the errors' own peak over their root mean square is about 5, the
// values' peak at least 3, and the estimate itself is good to a factor of two.
constexpr double kSafety = 4;
// Small enough for a layer to be linear in it, large enough for f32 not to matter.
constexpr double kPerturbation = 0x1p-8;

constexpr double kF32 = 0x1p-24;
constexpr double kBf16 = 0x1p-8;
constexpr double kInt8Steps = 127;

// What a layer does to get one number.
struct Work {
  double products = 0;   // added up one after the other, with signs that cancel
  double roundings = 0;  // besides: single operations in a row
};

double extent(const Shape& shape) { return static_cast<double>(shape.without_batch().elements()); }

// Statistics are sums of many numbers, made in double or pairwise: one rounding for each doubling.
Work statistics(const Shape& input) { return {.roundings = 2 * std::log2(std::max(extent(input), 1.0)) + 8}; }

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang 16 does not deduce it

Work work_of(const Layer& layer, const Shape& in) {
  constexpr Work kExact{};  // picks or moves numbers
  return std::visit(Overloaded{
                        [&](const Convolution& l) {
                          const std::int64_t fan_in = in[1] / l.groups * l.kernel[0] * l.kernel[1];
                          return Work{static_cast<double>(fan_in), 1};
                        },
                        [&](const Linear&) {
                          return Work{static_cast<double>(in[1]), 1};
                        },
                        [&](const MatMul&) {
                          return Work{static_cast<double>(in[in.rank() - 1]), 1};
                        },
                        [&](const Lrn& l) {
                          const bool across = l.region == LrnRegion::across_channels;
                          return Work{.roundings = static_cast<double>(across ? l.local_size : l.local_size * l.local_size) + 6};
                        },
                        [](const AveragePool& l) { return Work{.roundings = static_cast<double>(l.kernel[0] * l.kernel[1]) + 1}; },
                        [&](const AdaptiveAveragePool&) { return Work{.roundings = static_cast<double>(in[2] * in[3]) + 1}; },
                        [&](const Softmax&) {
                          return Work{extent(in), 10};
                        },
                        [](const BatchNorm&) { return Work{.roundings = 5}; },
                        [](const MovingAverageBatchNorm&) { return Work{.roundings = 5}; },
                        [](const ScaleShift&) { return Work{.roundings = 2}; },
                        [](const Scale&) { return Work{.roundings = 1}; },
                        [](const Add&) { return Work{.roundings = 1}; },
                        [](const Multiply&) { return Work{.roundings = 1}; },
                        [&](const BatchStatisticsNorm&) { return statistics(in); },
                        [&](const FilterResponseNorm&) { return statistics(in); },
                        [&](const GroupNorm&) { return statistics(in); },
                        [&](const InstanceNorm&) { return statistics(in); },
                        [&](const LayerNorm&) { return statistics(in); },
                        [&](const LocalContrastNorm&) { return statistics(in); },
                        [&](const LocalMeanSubtraction&) { return statistics(in); },
                        [&](const SwitchableNorm&) { return statistics(in); },
                        [&](const Clip&) { return kExact; },
                        [&](const Concat&) { return kExact; },
                        [&](const Dropout&) { return kExact; },
                        [&](const Flatten&) { return kExact; },
                        [&](const MaxPool&) { return kExact; },
                        [&](const Pad&) { return kExact; },
                        [&](const Relu&) { return kExact; },
                        [&](const Reshape&) { return kExact; },
                        [&](const Slice&) { return kExact; },
                        [&](const Transpose&) { return kExact; },
                    },
                    layer);
}

bool averages(const Layer& layer) {
  return std::holds_alternative<Convolution>(layer) || std::holds_alternative<Linear>(layer) ||
         std::holds_alternative<MatMul>(layer) || std::holds_alternative<AveragePool>(layer) ||
         std::holds_alternative<AdaptiveAveragePool>(layer);
}

double squared(double x) { return x * x; }

// In arithmetic of this unit roundoff: a sum of n terms that cancel loses u * sqrt(n / 6) of itself, or `growth` times that, and a
// rounding u / sqrt(3).
double variance(const Work& work, double unit, double growth = 1) {
  return squared(unit) * (squared(growth) * work.products / 6 + work.roundings / 3);
}

double root_mean_square(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += squared(static_cast<double>(value));
  return values.empty() ? 0 : std::sqrt(sum / static_cast<double>(values.size()));
}

double largest_magnitude(std::span<const float> values) {
  double largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  return largest;
}

double crest(const Tensor& tensor) {
  const double mean = root_mean_square(tensor.values<float>());
  return mean > 0 ? largest_magnitude(tensor.values<float>()) / mean : 0;
}

// What storing the operands and results in this type adds to f32 arithmetic.
double storage_variance(const std::string& precision, const Work& work, const Tensor& input, const Weight* weight) {
  if (precision == "bf16") return squared(kBf16) * (work.products > 0 ? 3 : 1) / 3;
  if (precision == "int8") {
    const double step = (squared(crest(input)) + (weight != nullptr ? squared(crest(widened(*weight))) : 0)) / 12;
    return step / squared(kInt8Steps);
  }
  return 0;
}

// Each number off by as much, upwards or downwards, without a pattern that a layer could know: sums are rounded by their size on
// the way, not by what is left of them. Zeros stay: a ReLU made them of numbers that were clearly below.
Tensor perturbed(const Tensor& tensor, double step_size, std::uint32_t& state) {
  Tensor result = Tensor::zeros(tensor.shape());
  const auto values = tensor.values<float>();
  const auto moved = result.mutable_values<float>();
  const auto step = static_cast<float>(step_size);
  for (std::size_t i = 0; i < values.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    if (values[i] != 0) moved[i] = values[i] + ((state >> 31) != 0 ? step : -step);
  }
  return result;
}

using Size = double (*)(std::span<const float>);

// How large the difference is, as part of how large the values are.
double apart(const Tensor& values, const Tensor& moved, Size size) {
  const auto a = values.values<float>();
  const auto b = moved.values<float>();
  std::vector<float> difference(a.size());
  std::ranges::transform(a, b, difference.begin(), std::minus<>());
  const double scale = size(a);
  return scale > 0 ? size(difference) / scale : 0;
}

using Values = std::map<std::string, Tensor>;

// What becomes of errors in a layer's inputs, of which all are as large as this part of the inputs' size.
double condition(const NamedNetwork& network, const Values& values, const Tensor& output, Size size, std::uint32_t& state) {
  std::vector<NamedTensor> moved;
  double before = 0;
  for (const auto& info : network.network->inputs()) {
    const Tensor& input = values.at(info.name);
    moved.push_back({info.name, perturbed(input, kPerturbation * size(input.values<float>()), state)});
    before = std::max(before, apart(input, moved.back().tensor, size));
  }
  const double after = apart(output, run(network, moved, nullptr)[0].tensor, size);
  return before > 0 ? after / before : 1;
}

// A window that slides over the channels (oneDNN's in NCHW) keeps the roundings of the largest sum that it has left. As y =
// x / base^beta, the base shows in x and y.
double sliding_variance(const Lrn& layer, const Tensor& input, const Tensor& output) {
  const auto x = input.values<float>();
  const auto y = output.values<float>();
  double largest_base = layer.k;
  double largest = 0;
  double largest_share = 0;
  for (const bool last : {false, true}) {
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (y[i] == 0) continue;
      const double base = std::pow(static_cast<double>(x[i]) / static_cast<double>(y[i]), 1 / layer.beta);
      const double size = std::abs(static_cast<double>(y[i]));
      if (last) largest_share = std::max(largest_share, size * (largest_base - layer.k) / base);
      largest_base = std::max(largest_base, base);
      largest = std::max(largest, size);
    }
  }
  return largest > 0 ? squared(kF32 * layer.beta * largest_share / largest) * 2 / 3 : 0;
}

// The step that computes a layer; nullptr if none does.
const PlanStep* step_of(const Plan& plan, const std::string& layer) {
  const auto found = std::ranges::find_if(plan.steps, [&](const PlanStep& step) {
    return step.kind != "reorder" && std::ranges::find(step.layers, layer) != step.layers.end();
  });
  return found == plan.steps.end() ? nullptr : &*found;
}

double unit_of(ElementType type) { return type == ElementType::f16 ? 0x1p-11 : kF32; }

}  // namespace

Roundings roundings(const Model& model, const std::vector<std::string>& layers, const std::map<std::string, Tensor>& inputs,
                    const Plan& plan, ElementType reference, const CompileOptions& options) {
  const auto shapes = infer_shapes(model.graph, 1);
  CompileOptions f32 = options;
  f32.precision = Precision::f32;
  Values values = inputs;
  std::uint32_t state = 1;
  Roundings result;
  // f64 is rounded when it becomes an input.
  result.given = unit_of(reference) / std::sqrt(3);
  std::set<std::string> needed(layers.begin(), layers.end());
  for (auto node = model.graph.nodes.rbegin(); node != model.graph.nodes.rend(); ++node) {
    if (needed.contains(node->name)) needed.insert(node->inputs.begin(), node->inputs.end());
  }
  for (const Node& node : model.graph.nodes) {
    if (!needed.contains(node.name)) continue;
    const auto network = compile_named(part_of(model, shapes, node.name, {node.inputs.begin(), node.inputs.end()}), f32);
    std::vector<NamedTensor> given;
    for (const auto& info : network.network->inputs()) given.push_back({info.name, values.at(info.name)});
    const Tensor output = run(network, given, nullptr)[0].tensor;
    values[node.name] = output;

    const Work work = work_of(node.layer, shapes.at(node.inputs[0]));
    const auto* step = step_of(plan, node.name);
    const auto* alone = step_of(network.network->plan(), node.name);
    const double growth = std::max(step == nullptr ? 1 : step->error_growth, alone == nullptr ? 1 : alone->error_growth);
    const auto weight = model.weights.find(node.name + ".weight");
    double sum = variance(work, kF32, growth);
    if (const auto* lrn = std::get_if<Lrn>(&node.layer)) sum += sliding_variance(*lrn, values.at(node.inputs[0]), output);
    if (step != nullptr) {
      sum += storage_variance(step->precision, work, values.at(node.inputs[0]),
                              weight == model.weights.end() ? nullptr : &weight->second);
    }
    if (reference != ElementType::f64) sum += variance(work, kF32) + squared(result.given);
    result.layers[node.name] = {
        .made = std::sqrt(sum),
        .condition = condition(network, values, output, root_mean_square, state),
        .peak_condition = averages(node.layer) ? 0 : condition(network, values, output, largest_magnitude, state)};
  }
  return result;
}

double allowed(const Roundings& roundings, const Graph& graph, const std::string& layer, const std::set<std::string>& given) {
  struct Error {
    double root_mean_square;
    double peak;
  };
  std::map<std::string, Error> errors;
  for (const Node& node : graph.nodes) {
    Error before{0, 0};
    for (const auto& input : node.inputs) {
      const auto made_here = errors.find(input);
      const bool is_given = made_here == errors.end() || given.contains(input);
      const Error error = is_given ? Error{roundings.given, kSafety * roundings.given} : made_here->second;
      before = {std::max(before.root_mean_square, error.root_mean_square), std::max(before.peak, error.peak)};
    }
    const auto known = roundings.layers.find(node.name);
    const LayerRounding own = known == roundings.layers.end() ? LayerRounding{} : known->second;
    const double root_mean_square = std::hypot(own.made, own.condition * before.root_mean_square);
    errors[node.name] = {root_mean_square, std::max(kSafety * root_mean_square, own.peak_condition * before.peak)};
    if (node.name == layer) break;
  }
  return errors.at(layer).peak;
}

}  // namespace alexnet
