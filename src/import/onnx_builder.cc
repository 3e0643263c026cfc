#include "import/onnx_builder.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "import/onnx_names.h"

namespace alexnet {
namespace {

[[noreturn]] void fail(std::string message) { throw Error(ErrorKind::model, "", std::move(message)); }

}  // namespace

OnnxBuilder::OnnxBuilder(const OnnxTrace& trace, Imported& into) : trace_(trace), budget_(trace.budget), into_(into) {
  for (const auto& name : trace.inputs) {
    const Shape with_batch = shape(name);
    into_.model.graph.inputs.push_back({name, with_batch.without_batch()});
    if (!batched(name)) into_.unbatched.insert(name);
    sources_[name] = name;
    shapes_[name] = with_batch;
    taken_.insert(name);
  }
  for (const auto& [name, value] : trace.outputs) {
    output_names_.emplace(value, name);
    taken_.insert(name);
  }
  for (const auto& op : trace.ops) {
    for (const auto& input : op.node.inputs) readers_[input].push_back(&op);
  }
}

bool OnnxBuilder::batched(const std::string& value) const {
  const auto& known = extents(value);
  return known.size() >= 2 && (trace_.batch_is_free || known[0] == 1);
}

Shape OnnxBuilder::whole_shape(const std::string& value) const {
  Extents all{1};
  all.insert(all.end(), extents(value).begin(), extents(value).end());
  if (all.size() > Shape::kMaxRank) fail(fmt::format("has {} axes, more than {}", all.size() - 1, Shape::kMaxRank - 1));
  return Shape(all);
}

Shape OnnxBuilder::shape(const std::string& value) const {
  if (!batched(value)) return whole_shape(value);
  Extents known = extents(value);
  known[0] = 1;
  return Shape(known);
}

std::string OnnxBuilder::source(const std::string& value) const {
  const auto found = sources_.find(value);
  if (found == sources_.end()) fail(fmt::format("reads {}, a constant, where it is supported only from the network", shown(value)));
  return found->second;
}

std::string OnnxBuilder::whole(const OnnxOp& op, const std::string& value) {
  const auto made = source(value);
  if (!batched(value)) return made;
  if (trace_.batch_is_free) throw BatchMixed("mixes the samples of a batch");
  const auto& known = extents(value);
  return step(op, "whole", Reshape{.shape = known}, {made});
}

std::string OnnxBuilder::samples(const std::string& value) const {
  if (!batched(value)) fail(fmt::format("works on batches, but its input {} is {}", shown(value), to_string(extents(value))));
  return source(value);
}

const OnnxOp* OnnxBuilder::only_reader(const std::string& value) const {
  const auto found = readers_.find(value);
  if (found == readers_.end() || found->second.size() != 1 || output_names_.contains(value)) return nullptr;
  return found->second.front();
}

std::string OnnxBuilder::unique(std::string name) {
  std::string candidate = name;
  for (int i = 2; !taken_.insert(candidate).second; ++i) candidate = fmt::format("{}.{}", name, i);
  return candidate;
}

std::string OnnxBuilder::name_for(const OnnxOp& op, std::size_t output) {
  const auto& value = op.node.outputs.at(output);
  if (const auto given = output_names_.find(value); given != output_names_.end()) return given->second;
  if (output == 0) {
    const auto like = named_like_.find(&op);
    auto name = suggested_name(like == named_like_.end() ? op : *like->second, trace_);
    if (taken_.insert(name).second) return name;
  }
  return unique(value);
}

std::string OnnxBuilder::add(std::string name, Layer layer, std::vector<std::string> inputs) {
  std::vector<Shape> shapes;
  for (const auto& input : inputs) shapes.push_back(shapes_.at(input));
  shapes_[name] = output_shape(layer, shapes);
  into_.model.graph.nodes.push_back({name, std::move(layer), std::move(inputs)});
  return name;
}

std::string OnnxBuilder::step(const OnnxOp& op, std::string_view part, Layer layer, std::vector<std::string> inputs) {
  return add(unique(fmt::format("{}.{}", suggested_name(op, trace_), part)), std::move(layer), std::move(inputs));
}

std::string OnnxBuilder::make(const OnnxOp& op, Layer layer, std::vector<std::string> inputs, std::size_t output) {
  const auto& value = op.node.outputs.at(output);
  const auto name = add(name_for(op, output), std::move(layer), std::move(inputs));
  // Two sets of shape rules, ONNX's and our layers', must come to the same.
  if (shapes_.at(name) != shape(value)) {
    fail(fmt::format("makes {} by ONNX's rules, but {} here", to_string(extents(value)), to_string(shapes_.at(name))));
  }
  sources_[value] = name;
  return name;
}

std::string OnnxBuilder::make_whole(const OnnxOp& op, Layer layer, std::vector<std::string> inputs, std::size_t output) {
  const auto& value = op.node.outputs.at(output);
  if (!batched(value)) return make(op, std::move(layer), std::move(inputs), output);
  const auto sample = shape(value).without_batch();
  const auto last = step(op, "whole", std::move(layer), std::move(inputs));
  return make(op, Reshape{.shape = {sample.extents().begin(), sample.extents().end()}}, {last}, output);
}

void OnnxBuilder::pass_on(const OnnxOp& op, const std::string& layer, std::size_t output) {
  sources_[op.node.outputs.at(output)] = layer;
}

void OnnxBuilder::will_repeat(std::int64_t numbers) {
  // Up to three copies, in f64 at most.
  for (int copy = 0; copy < 3; ++copy) budget_.take(numbers, ElementType::f64);
}

void OnnxBuilder::parameter(const std::string& layer, std::string_view name, const Tensor& tensor, const OnnxConstant& from,
                            std::string_view done) {
  const auto full_name = fmt::format("{}.{}", layer, name);
  std::vector<std::string> steps;
  const bool there_and_back = from.done == "transposed" && done == "transposed";
  for (const auto& each : {there_and_back ? "" : from.done, std::string(there_and_back ? "" : done),
                           std::string(from.tensor.type() == ElementType::f32 ? "" : "to f32")}) {
    if (!each.empty()) steps.push_back(each);
  }
  into_.tensors.push_back({.source = from.source.empty() ? "computed" : from.source,
                           .ours = full_name,
                           .shape = tensor.shape(),
                           .type = from.tensor.type(),
                           .done = steps.empty() ? "as it is" : join(steps, ", ")});
  into_.model.weights[full_name] = Weight::of(widened(tensor));
}

void OnnxBuilder::finish() {
  auto& graph = into_.model.graph;
  for (const auto& [name, value] : trace_.outputs) {
    const auto made = source(value);
    // A second name for a value needs a layer of its own, one that changes nothing.
    if (made != name) add(name, Dropout{.ratio = 0}, {made});
    graph.outputs.push_back(name);
    if (!batched(value)) into_.unbatched.insert(name);
  }
  graph = checked(std::move(graph));
  if (lrn_sources_.empty()) return;
  Json sources = Json::object();
  for (const auto& [layer, words] : lrn_sources_) sources[layer] = lrn::to_json(words);
  into_.model.lrn_source = sources.dump();
}

}  // namespace alexnet
