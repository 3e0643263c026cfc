#include "tasks/diagnosis/trial.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "image/preprocess.h"
#include "passes/part.h"
#include "tasks/diagnosis/orientation.h"
#include "tasks/difference.h"
#include "tasks/run.h"

namespace alexnet {
namespace {

constexpr std::uint64_t kMaxCachedBytes = 256ull << 20;  // of activations
constexpr std::uint64_t kMaxCompiledBytes = 1ull << 30;  // of weights in compiled layers
// Four operations, some on numbers that are larger than what is left of them.
constexpr double kPreprocessingRoundings = 12;
constexpr double kF32 = 0x1p-24;
constexpr Residual kImpossible{.relative = std::numeric_limits<double>::infinity(), .allowed = 0};

Tensor joined(const std::vector<Tensor>& rows) {
  const Shape shape = rows[0].shape().without_batch().with_batch(static_cast<std::int64_t>(rows.size()));
  Tensor result = Tensor::allocate(rows[0].type(), shape);
  std::byte* dst = result.mutable_bytes().data();
  for (const Tensor& row : rows) {
    std::memcpy(dst, row.bytes().data(), row.byte_count());
    dst += row.byte_count();
  }
  return result;
}

// What a layer of a variant does, as a text that is the same wherever the same is done with the same weights.
std::string text_of(const Node& node, const Weights& weights) {
  std::string text = to_json(node.layer).dump();
  const std::string prefix = node.name + ".";
  for (auto at = weights.lower_bound(prefix); at != weights.end() && at->first.starts_with(prefix); ++at) {
    if (at->first.find('.', prefix.size()) != std::string::npos) continue;
    text += fmt::format(" {}@{}", at->first.substr(prefix.size()), static_cast<const void*>(at->second.data.bytes().data()));
  }
  return text;
}

}  // namespace

struct Trials::Impl {
  const Model& model;
  const ReferenceDump& reference;
  std::vector<std::int64_t> pictures;
  CompileOptions options;
  Roundings roundings;
  std::set<std::string> given;  // the inputs and layers of the reference
  std::map<std::string, Tensor> reference_values;
  std::map<std::string, Tensor> values;          // by text
  std::map<std::string, NamedNetwork> compiled;  // by text and shapes
  std::map<std::string, Residual> judged;        // by layer and text
  std::map<std::string, std::string> texts;      // of the model's own layers
  std::vector<Image> images;
  std::uint64_t cached_bytes = 0;
  std::uint64_t compiled_bytes = 0;

  const Tensor& reference_value(const std::string& name) {
    auto& value = reference_values[name];
    if (value.shape().rank() == 0) {
      std::vector<Tensor> rows;
      for (const std::int64_t picture : pictures) rows.push_back(reference.rows(name, picture, 1));
      value = joined(rows);
    }
    return value;
  }

  // The text of what makes `layer` out of what is given.
  std::string text(const Model& variant, const std::string& layer, std::map<std::string, std::string>& known) const {
    if (const auto found = known.find(layer); found != known.end()) return found->second;
    const Node& node = *find(variant.graph, layer);
    std::string result = text_of(node, variant.weights) + "(";
    for (const auto& input : node.inputs) {
      result += given.contains(input) ? " '" + input + "'" : " " + text(variant, input, known);
    }
    return known[layer] = result + ")";
  }

  Tensor value(const Model& variant, const std::string& layer, std::map<std::string, std::string>& known) {
    const std::string key = text(variant, layer, known);
    if (const auto found = values.find(key); found != values.end()) return found->second;
    const Node& node = *find(variant.graph, layer);
    std::vector<NamedTensor> inputs;
    for (const auto& input : node.inputs) {
      if (std::ranges::find(inputs, input, &NamedTensor::name) != inputs.end()) continue;
      inputs.push_back({input, given.contains(input) ? widened(reference_value(input)) : value(variant, input, known)});
    }
    const Tensor result = run(network(variant, node, inputs), renamed(inputs), nullptr)[0].tensor;
    cached_bytes += result.byte_count();
    if (cached_bytes > kMaxCachedBytes) {
      values.clear();
      cached_bytes = result.byte_count();
    }
    values[key] = result;
    return result;
  }

  // Layers that do the same are compiled once, whatever they and their inputs are called.
  static std::vector<NamedTensor> renamed(const std::vector<NamedTensor>& inputs) {
    std::vector<NamedTensor> result;
    for (const auto& input : inputs) result.push_back({fmt::format("input {}", result.size()), input.tensor});
    return result;
  }

  const NamedNetwork& network(const Model& variant, const Node& node, const std::vector<NamedTensor>& inputs) {
    std::string key = text_of(node, variant.weights);
    for (const auto& input : inputs) key += " " + to_string(input.tensor.shape().without_batch());
    if (const auto found = compiled.find(key); found != compiled.end()) return found->second;
    Model one;
    Node copy = node;
    copy.name = "layer";
    for (auto& input : copy.inputs) {
      const auto at = std::ranges::find(inputs, input, &NamedTensor::name);
      input = fmt::format("input {}", at - inputs.begin());
    }
    one.graph.nodes = {copy};
    one.graph.outputs = {copy.name};
    for (std::size_t i = 0; i < inputs.size(); ++i)
      one.graph.inputs.push_back({fmt::format("input {}", i), inputs[i].tensor.shape().without_batch()});
    std::uint64_t bytes = 0;
    for (const auto& parameter : parameters(one.graph)) {
      const Weight& weight = variant.weights.at(node.name + parameter.name.substr(copy.name.size()));
      if (weight.shape != parameter.shape) throw Error(ErrorKind::model, node.name, "has a weight of another shape");
      one.weights[parameter.name] = weight;
      bytes += static_cast<std::uint64_t>(parameter.shape.elements()) * sizeof(float);
    }
    compiled_bytes += bytes;
    if (compiled_bytes > kMaxCompiledBytes) {
      compiled.clear();
      compiled_bytes = bytes;
    }
    return compiled[key] = compile_named(one, options);
  }

  Residual residual(const Model& variant, const std::string& layer, std::map<std::string, std::string>& known) {
    const std::string key = layer + ": " + text(variant, layer, known);
    if (const auto found = judged.find(key); found != judged.end()) return found->second;
    return judged[key] = fresh_residual(variant, layer, known);
  }

  Residual fresh_residual(const Model& variant, const std::string& layer, std::map<std::string, std::string>& known) {
    try {
      const Tensor found = value(variant, layer, known);
      const Tensor& wanted = reference_value(layer);
      if (found.shape() != wanted.shape()) return kImpossible;
      DifferenceSum sum(found.shape().without_batch());
      sum.add(found.values<float>(), wanted);
      auto others = given;
      others.erase(layer);
      return {.relative = sum.difference().relative, .allowed = allowed(roundings, variant.graph, layer, others)};
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::resources) throw;
      return kImpossible;  // a variant that fits no shape is no explanation
    }
  }
};

Trials::Trials(const Model& model, const ReferenceDump& reference, std::vector<std::int64_t> pictures,
               const CompileOptions& options)
    : impl_(new Impl{.model = model,
                     .reference = reference,
                     .pictures = std::move(pictures),
                     .options = options,
                     .roundings = {},
                     .given = {},
                     .reference_values = {},
                     .values = {},
                     .compiled = {},
                     .judged = {},
                     .texts = {},
                     .images = {}}) {
  Impl& impl = *impl_;
  impl.options.precision = Precision::f32;
  std::map<std::string, Tensor> inputs;
  for (const auto& input : model.graph.inputs) {
    impl.given.insert(input.name);
    inputs[input.name] = widened(impl.reference_value(input.name));
  }
  ElementType type = ElementType::f16;
  for (const auto& name : reference.layers()) {
    impl.given.insert(name);
    if (size_of(reference.type(name)) > size_of(type)) type = reference.type(name);
  }
  impl.roundings = roundings(model, reference.layers(), inputs, Plan{}, type, impl.options);
  for (const auto& layer : reference.layers()) {
    std::map<std::string, std::string> known;
    impl.texts[layer] = impl.text(model, layer, known);
  }
  if (!reference.has_images()) return;
  for (const std::int64_t picture : impl.pictures) impl.images.push_back(reference.image(picture));
}

Trials::~Trials() = default;

std::map<std::string, Residual> Trials::residuals(const Model& variant) {
  std::map<std::string, Residual> result;
  std::map<std::string, std::string> known;
  for (const auto& layer : impl_->reference.layers()) result[layer] = impl_->residual(variant, layer, known);
  return result;
}

std::set<std::string> Trials::touched(const Model& variant) const {
  std::set<std::string> result;
  std::map<std::string, std::string> known;
  for (const auto& [layer, text] : impl_->texts) {
    if (impl_->text(variant, layer, known) != text) result.insert(layer);
  }
  return result;
}

Residual Trials::preprocessing_residual(const Preprocessing& preprocessing, int orientation) {
  const auto& input = impl_->model.graph.inputs.front();
  DifferenceSum sum(input.shape);
  for (std::size_t i = 0; i < impl_->images.size(); ++i) {
    try {
      const Tensor found = preprocess(preprocessing, oriented(impl_->images[i], orientation));
      if (found.shape() != input.shape) return kImpossible;
      sum.add(found.values<float>(), impl_->reference.rows(input.name, impl_->pictures[i], 1));
    } catch (const Error&) {
      return kImpossible;
    }
  }
  const double roundoff = std::hypot(impl_->roundings.given, kF32 * std::sqrt(kPreprocessingRoundings / 3));
  return {.relative = sum.difference().relative, .allowed = 4 * roundoff};
}

std::optional<Tensor> Trials::mean_image(const Preprocessing& preprocessing) const {
  if (impl_->images.size() < 2 || impl_->images[0].pixels == impl_->images[1].pixels) return std::nullopt;
  const auto& input = impl_->model.graph.inputs.front();
  Tensor found = preprocess(preprocessing, impl_->images[0]);
  if (found.shape() != input.shape) return std::nullopt;
  const Tensor wanted = widened(impl_->reference.rows(input.name, impl_->pictures[0], 1));
  Tensor mean = Tensor::zeros(input.shape);
  std::ranges::transform(found.values<float>(), wanted.values<float>(), mean.mutable_values<float>().begin(), std::minus<>());
  return mean;
}

}  // namespace alexnet
