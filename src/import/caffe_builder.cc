#include "import/caffe_builder.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

[[noreturn]] void fail(std::string message) { throw Error(ErrorKind::model, "", std::move(message)); }

// Old files write every shape with four extents, ones in front.
bool fits(const Shape& blob, const Shape& wanted) {
  const auto bare = [](const Shape& shape) {
    auto extents = shape.extents();
    while (!extents.empty() && extents.front() == 1) extents = extents.subspan(1);
    return extents;
  };
  return std::ranges::equal(bare(blob), bare(wanted));
}

}  // namespace

CaffeBuilder::CaffeBuilder(const CaffeNet& net, const std::vector<CaffeBlobs>& weights, Imported& into) : net_(net), into_(into) {
  for (const auto& layer : weights) weights_.emplace(layer.layer, &layer);
  for (const auto& input : net.inputs) {
    into_.model.graph.inputs.push_back({input.name, input.shape.without_batch()});
    shapes_[input.name] = input.shape.without_batch().with_batch(1);
    contents_[input.name] = input.name;
  }
}

std::string CaffeBuilder::source(const CaffeLayer& layer, std::size_t bottom) const {
  if (bottom >= layer.bottoms.size())
    fail(layer.bottoms.empty() ? "has no bottom" : fmt::format("has only {} bottoms", layer.bottoms.size()));
  const auto found = contents_.find(layer.bottoms[bottom]);
  if (found != contents_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [blob, maker] : contents_) known.push_back(blob);
  const auto likely =
      known.size() < 2'000 && layer.bottoms[bottom].size() < 200 ? nearest(layer.bottoms[bottom], known) : std::nullopt;
  fail(fmt::format("reads {}, which no layer before it makes{}", shown(layer.bottoms[bottom]),
                   likely ? fmt::format("; did you mean {}?", shown(*likely)) : ""));
}

const Shape& CaffeBuilder::shape(const CaffeLayer& layer, std::size_t bottom) const { return shapes_.at(source(layer, bottom)); }

std::string CaffeBuilder::unique(std::string name) {
  std::string candidate = name;
  for (int i = 2; shapes_.contains(candidate); ++i) candidate = fmt::format("{}.{}", name, i);
  return candidate;
}

// A ReLU in place is named after what it works on: conv1.relu.
std::string CaffeBuilder::name_for(const CaffeLayer& layer, const Layer& made, std::size_t top) const {
  const bool in_place = layer.tops.size() == 1 && !layer.bottoms.empty() && layer.bottoms[0] == layer.tops[0];
  if (in_place && std::holds_alternative<Relu>(made)) return source(layer) + ".relu";
  return layer.tops.size() > 1 ? layer.tops[top] : layer.name;
}

std::string CaffeBuilder::step(const std::string& name, Layer made, std::vector<std::string> inputs) {
  std::vector<Shape> shapes;
  for (const auto& input : inputs) shapes.push_back(shapes_.at(input));
  const auto own = unique(name);
  shapes_[own] = output_shape(made, shapes);
  for (const auto& input : inputs) ++readers_[input];
  read_.insert(inputs.begin(), inputs.end());
  into_.model.graph.nodes.push_back({own, std::move(made), std::move(inputs)});
  return own;
}

std::string CaffeBuilder::make(const CaffeLayer& layer, Layer made, std::vector<std::string> inputs, std::size_t top) {
  if (top >= layer.tops.size()) fail("has no top");
  const auto wanted = name_for(layer, made, top);
  auto name = step(wanted, std::move(made), std::move(inputs));
  pass_on(layer, name, top);
  return name;
}

void CaffeBuilder::pass_on(const CaffeLayer& layer, const std::string& name, std::size_t top) {
  if (top >= layer.tops.size()) fail("has no top");
  if (std::ranges::find(made_, layer.tops[top]) == made_.end()) made_.push_back(layer.tops[top]);
  contents_[layer.tops[top]] = name;
}

std::vector<Tensor> CaffeBuilder::blobs(const CaffeLayer& layer, const std::vector<Shape>& wanted) {
  const auto found = weights_.find(layer.name);
  if (found == weights_.end()) fail("has no weights in the .caffemodel");
  used_.insert(layer.name);
  const auto& own = found->second->blobs;
  if (own.size() != wanted.size())
    fail(fmt::format("has {} blobs in the .caffemodel, the prototxt wants {}", own.size(), wanted.size()));
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (!fits(own[i].shape(), wanted[i])) {
      fail(fmt::format("its blob {} is {}, the prototxt wants {}", i, to_string(own[i].shape()), to_string(wanted[i])));
    }
    result.push_back(own[i].reshaped(wanted[i]));
  }
  return result;
}

void CaffeBuilder::parameter(const CaffeLayer& layer, const std::string& name, std::string_view parameter, std::size_t blob,
                             const Tensor& tensor, std::string_view done) {
  const auto full_name = fmt::format("{}.{}", name, parameter);
  const auto type = weights_.at(layer.name)->blobs.at(blob).type();
  std::string what(done);
  if (type != ElementType::f32) what += what.empty() ? "to f32" : ", to f32";
  into_.tensors.push_back({.source = fmt::format("{}[{}]", layer.name, blob),
                           .ours = full_name,
                           .shape = tensor.shape(),
                           .type = type,
                           .done = what.empty() ? "as it is" : what});
  into_.model.weights[full_name] = Weight::of(widened(tensor));
}

Node* CaffeBuilder::open_batch_norm(const CaffeLayer& layer) {
  const auto name = source(layer);
  Node* node = find(into_.model.graph, name);
  const auto* norm = node == nullptr ? nullptr : std::get_if<BatchNorm>(&node->layer);
  // In place, nobody can read the blob between the two; otherwise somebody may still want it.
  const bool alone = std::ranges::count_if(net_.layers, [&](const auto& other) {
                       return std::ranges::find(other.bottoms, layer.bottoms[0]) != other.bottoms.end();
                     }) == 1;
  const bool in_place = layer.bottoms[0] == layer.tops.at(0);
  return norm != nullptr && !norm->scale && !norm->offset && readers_[name] == 0 && (in_place || alone) ? node : nullptr;
}

void CaffeBuilder::finish() {
  for (const auto& blob : made_) {
    const auto& name = contents_.at(blob);
    auto& outputs = into_.model.graph.outputs;
    if (!read_.contains(name) && std::ranges::find(outputs, name) == outputs.end()) outputs.push_back(name);
  }
  for (const auto& [layer, blobs] : weights_) {
    if (!used_.contains(layer)) into_.unused.push_back(layer);
  }
  into_.model.graph = checked(std::move(into_.model.graph));
  if (lrn_sources_.empty()) return;
  Json sources = Json::object();
  for (const auto& [layer, words] : lrn_sources_) sources[layer] = lrn::to_json(words);
  into_.model.lrn_source = sources.dump();
}

}  // namespace alexnet
