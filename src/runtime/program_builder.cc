#include "runtime/program_builder.h"

#include <ranges>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/json.h"
#include "runtime/onednn/primitives.h"
#include "runtime/own_kernels.h"

namespace alexnet {
namespace {

Ranges ranges_of(const Model& model, Precision precision) {
  if (precision != Precision::int8 || model.ranges.empty()) return {};
  return ranges_from_json(parse_json(model.ranges, "ranges"));
}

}  // namespace

ProgramBuilder::ProgramBuilder(const Model& model, const std::vector<Exposed>& outputs, const CompileOptions& options)
    : model_(model), outputs_(outputs), options_(options), ranges_(ranges_of(model, options.precision)) {
  if (!options.prepared.empty()) program_.prepared = std::make_shared<WeightStore>(options.prepared);
  add_inputs();
  find_needed();
}

bool ProgramBuilder::begin(const Node& node) {
  if (done_.contains(node.name)) return false;
  if (!needed_.contains(node.name)) {
    program_.plan.absent.push_back({node.name, "nothing needs it"});
    return false;
  }
  node_ = &node;
  layers_ = {node.name};
  return true;
}

Program ProgramBuilder::finish() && {
  add_outputs();
  return std::move(program_);
}

void ProgramBuilder::add_inputs() {
  for (const auto& input : model_.graph.inputs) {
    program_.inputs.push_back({input.name, input.shape});
    values_[input.name] = new_value(input.shape, kPlain, /*rows=*/false);
    program_.storages.back().input = program_.inputs.size() - 1;
  }
}

void ProgramBuilder::find_needed() {
  for (const auto& output : outputs_) exposed_.insert(output.made_as);
  needed_ = exposed_;
  for (const Node& node : model_.graph.nodes | std::views::reverse) {
    if (needed_.contains(node.name)) needed_.insert(node.inputs.begin(), node.inputs.end());
  }
}

std::size_t ProgramBuilder::new_value(const Shape& sample, const Layout& layout, bool rows) {
  const auto bytes = byte_count(layout, sample.with_batch(1));
  if (!bytes) {
    throw Error(ErrorKind::resources, node_ == nullptr ? "" : fmt::format("layer '{}'", node_->name),
                "needs more bytes than can be counted");
  }
  program_.storages.push_back({.input = std::nullopt, .bytes = *bytes, .offset = 0, .samples = 1});
  program_.values.push_back({sample, layout, program_.storages.size() - 1, rows});
  return program_.values.size() - 1;
}

const Weight& ProgramBuilder::weight(std::string_view parameter) const {
  return model_.weights.at(fmt::format("{}.{}", node_->name, parameter));
}

const Node* ProgramBuilder::only_reader() const {
  if (exposed_.contains(node_->name)) return nullptr;
  const auto readers = consumers(model_.graph, node_->name);
  return readers.size() == 1 ? readers.front() : nullptr;
}

const Node* ProgramBuilder::following_relu() const {
  const Node* reader = only_reader();
  return reader != nullptr && std::holds_alternative<Relu>(reader->layer) ? reader : nullptr;
}

const Node* ProgramBuilder::following_max_pool() const {
  const Node* reader = only_reader();
  return reader != nullptr && std::holds_alternative<MaxPool>(reader->layer) ? reader : nullptr;
}

Layout ProgramBuilder::f32_layout() const {
  const Layout& layout = value(source()).layout;
  return {.type = ElementType::f32, .order = layout.order, .block = layout.block};
}

Layout ProgramBuilder::row_major() const {
  const Layout& layout = value(source()).layout;
  return {.type = layout.type, .order = Order::plain, .block = 1, .scale = layout.scale};
}

std::optional<Range> ProgramBuilder::range(const std::string& name) const {
  const auto found = ranges_.tensors.find(name);
  return found == ranges_.tensors.end() ? std::nullopt : std::optional(found->second);
}

NetworkStep ProgramBuilder::step(std::string kind, Choice choice, std::vector<std::size_t> sources) const {
  PlanStep plan{.kind = std::move(kind),
                .layers = layers_,
                .implementation = choice.implementation,
                .precision = choice.precision,
                .source_layout = to_string(choice.source, shape(sources[0]).rank()),
                .destination_layout = {},
                .rows = choice.any_rows,
                .scratch_bytes = choice.scratch_bytes,
                .weight_bytes = choice.weight_bytes,
                .error_growth = choice.error_growth,
                .note = choice.note};
  NetworkStep result{.plan = std::move(plan),
                     .choice = std::move(choice),
                     .sources = std::move(sources),
                     .destination = {},
                     .output = {},
                     .rows = false};
  for (const auto source : result.sources) result.plan.rows = result.plan.rows || value(source).rows;
  result.rows = result.plan.rows;
  return result;
}

std::size_t ProgramBuilder::add(std::string kind, Choice choice, std::vector<std::size_t> sources, const Shape& sample) {
  NetworkStep next = step(std::move(kind), std::move(choice), std::move(sources));
  next.plan.destination_layout = to_string(next.choice.destination, sample.rank() + 1);
  const auto result = new_value(sample, next.choice.destination, next.rows);
  next.destination = result;
  program_.steps.push_back(std::move(next));
  return result;
}

std::size_t ProgramBuilder::in_layout(std::size_t index, const Layout& layout) {
  if (value(index).layout == layout) return index;
  const auto known = reordered_.find({index, to_string(layout, 4)});
  if (known != reordered_.end()) return known->second;
  auto choice = onednn_reorder(shape(index), value(index).layout, layout);
  if (!choice) throw Error(ErrorKind::model, fmt::format("layer '{}'", node_->name), "needs a change of layout that oneDNN lacks");
  const auto result = add("reorder", std::move(*choice), {index}, value(index).sample);
  reordered_[{index, to_string(layout, 4)}] = result;
  return result;
}

void ProgramBuilder::compute_from(std::size_t from, Choice choice, const Node* fused, std::uint64_t macs) {
  const Layout wanted = choice.source;
  const auto fed = in_layout(from, wanted);
  const Shape in = shape(source());
  Shape out = output_shape(node_->layer, std::span(&in, 1));
  if (fused != nullptr) {
    layers_.push_back(fused->name);
    out = output_shape(fused->layer, std::span(&out, 1));
  }
  const auto result = add(std::string(kind(node_->layer)), std::move(choice), {fed}, out.without_batch());
  program_.steps.back().plan.macs = macs;
  for (const auto& name : layers_) bind(name, result);
}

void ProgramBuilder::bind(const std::string& name, std::size_t index) {
  values_[name] = index;
  done_.insert(name);
}

void ProgramBuilder::identity() {
  bind(node_->name, source());
  program_.plan.absent.push_back({node_->name, fmt::format("passes on '{}'", node_->inputs[0])});
}

void ProgramBuilder::view(std::size_t of, const Shape& sample) {
  program_.values.push_back({sample, value(of).layout, value(of).storage, value(of).rows});
  bind(node_->name, program_.values.size() - 1);
  program_.plan.absent.push_back({node_->name, fmt::format("view of '{}'", node_->inputs[0])});
}

std::vector<Weight> ProgramBuilder::weights(std::span<const Shape> inputs) const {
  std::vector<Weight> result;
  for (const auto& parameter : parameters(node_->layer, inputs)) result.push_back(weight(parameter.name));
  return result;
}

void ProgramBuilder::reference() {
  std::vector<std::size_t> sources;
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
    sources.push_back(in_layout(source(i), kPlain));
    shapes.push_back(shape(source(i)));
  }
  const Shape out = output_shape(node_->layer, shapes).without_batch();
  const auto result =
      add(std::string(kind(node_->layer)), reference_layer(node_->layer, shapes, weights(shapes)), std::move(sources), out);
  bind(node_->name, result);
}

void ProgramBuilder::add_outputs() {
  node_ = nullptr;
  for (const auto& [name, made_as] : outputs_) {
    const auto from = values_.at(made_as);
    program_.outputs.push_back({name, value(from).sample});
    layers_ = {name};
    const bool plain = value(from).layout == kPlain;
    auto choice = plain ? own_copy(shape(from)) : onednn_reorder(shape(from), value(from).layout, kPlain);
    if (!choice) throw Error(ErrorKind::model, fmt::format("layer '{}'", name), "needs a change of layout that oneDNN lacks");
    NetworkStep last = step("output", std::move(*choice), {from});
    last.plan.destination_layout = to_string(kPlain, shape(from).rank());
    last.output = program_.outputs.size() - 1;
    program_.steps.push_back(std::move(last));
  }
}

}  // namespace alexnet
