#include "import/onnx_inputs.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "formats/onnx_tensor.h"
#include "import/onnx_attributes.h"
#include "import/onnx_order.h"

namespace alexnet {
namespace {

// Operands that become weights or parameters of a layer.
const std::map<std::string, std::set<std::size_t>>& parameter_places() {
  static const std::map<std::string, std::set<std::size_t>> table{
      {"BatchNormalization", {1, 2, 3, 4}},
      {"Clip", {1, 2}},
      {"Conv", {1, 2}},
      {"Dropout", {1, 2}},
      {"GroupNormalization", {1, 2}},
      {"InstanceNormalization", {1, 2}},
      {"LayerNormalization", {1, 2}},
      {"Pad", {1, 2, 3}},
      {"ReduceMean", {1}},
      {"Reshape", {1}},
      {"Slice", {1, 2, 3, 4}},
      {"Split", {1}},
      {"Squeeze", {1}},
      {"Unsqueeze", {1}},
  };
  return table;
}

std::size_t rank_of(const OnnxValue& value) { return value.shape ? value.shape->size() : 0; }

bool is_row(const OnnxValue& value) { return value.shape && (value.shape->size() < 2 || value.shape->front() == 1); }

// A matrix product by a matrix that is known beforehand is a linear layer; other products run as they are.
bool makes_linear(const OnnxNode& node, std::size_t place, const OnnxValue& input) {
  if (node.op_type != "Gemm" || int_attribute(node, "transA", 0) != 0) return false;
  return place == 1 || (place == 2 && is_row(input));
}

bool is_float(std::int64_t type) {
  switch (onnx_element_type(type).value_or(ElementType::boolean)) {
    case ElementType::f32:
    case ElementType::f64:
    case ElementType::f16:
    case ElementType::bf16: return true;
    default: return type == 0;  // not said
  }
}

class Sorter {
 public:
  Sorter(const OnnxGraph& graph, const std::vector<const OnnxNode*>& nodes, const OnnxTraceOptions& options)
      : graph_(graph), nodes_(nodes), options_(options) {}

  OnnxInputs run() {
    std::set<std::string> defaults;
    for (const auto& initializer : graph_.initializers) defaults.insert(initializer.name);
    std::vector<const OnnxValue*> data;
    for (const auto& input : graph_.inputs) {
      if (!defaults.contains(input.name) && !bind(input)) data.push_back(&input);
    }
    find_batch(data);
    for (const auto* input : data) add(*input);
    return std::move(result_);
  }

 private:
  void problem(std::string text, OnnxProblem::Kind kind = OnnxProblem::Kind::plain) {
    result_.problems.push_back({std::move(text), kind});
  }

  bool bind(const OnnxValue& input) {
    const OnnxNode* user = nullptr;
    bool required = !is_float(input.element_type);
    bool useful = required;
    for (const auto* node : nodes_) {
      const auto places = parameter_places().find(node->op_type);
      for (std::size_t place = 0; place < node->inputs.size(); ++place) {
        if (node->inputs[place] != input.name) continue;
        const bool parameter = places != parameter_places().end() && places->second.contains(place);
        required = required || parameter;
        useful = useful || parameter || makes_linear(*node, place, input);
        if (parameter) user = node;
      }
    }
    const auto given = options_.values.find(input.name);
    if (useful && given != options_.values.end()) {
      result_.bound.emplace_back(input.name, given->second);
      return true;
    }
    if (!required) return false;
    problem(user != nullptr
                ? fmt::format("input {} is a parameter of {} and must be known beforehand", shown(input.name), label_of(*user))
                : fmt::format("input {} has elements of {} and must be known beforehand", shown(input.name),
                              onnx_type_name(input.element_type)));
    return true;
  }

  void find_batch(const std::vector<const OnnxValue*>& data) {
    std::set<std::optional<std::int64_t>> sizes;
    for (const auto* input : data) {
      if (rank_of(*input) > 0) sizes.insert(input->shape->front());
    }
    sizes.erase(std::nullopt);
    if (sizes.size() == 1) result_.written_batch = *sizes.begin();
    if (sizes.size() > 1 && options_.batch_is_free)
      problem("its inputs have different first extents: not one batch", OnnxProblem::Kind::no_batch);
  }

  void add(const OnnxValue& input) {
    const auto what = fmt::format("input {}", shown(input.name));
    const auto given = options_.values.find(input.name);
    const auto known = given == options_.values.end() ? nullptr : &given->second;
    if (!input.shape && known == nullptr) return problem(what + " has no shape");
    Extents extents;
    const auto rank = input.shape ? input.shape->size() : known->shape().rank();
    if (known != nullptr && known->shape().rank() != rank) {
      return problem(fmt::format("{} has {} axes, what is given for it has the shape {}", what, rank, to_string(known->shape())));
    }
    for (std::size_t axis = 0; axis < rank; ++axis) {
      auto extent = input.shape ? (*input.shape)[axis] : std::nullopt;
      if (!extent && known != nullptr) extent = known->shape()[axis];
      if (axis == 0 && options_.batch_is_free) extent = kBatch;
      if (!extent) return problem(fmt::format("{} leaves the extent of axis {} open", what, axis));
      if (extent < 1 && extent != kBatch) return problem(fmt::format("{} has an axis of extent {}", what, *extent));
      extents.push_back(*extent);
    }
    const std::size_t least = options_.batch_is_free ? 2 : 1;
    if (rank < least || rank >= Shape::kMaxRank) {
      return problem(fmt::format("{} has {} axes: {} to {} are supported", what, rank, least, Shape::kMaxRank - 1),
                     rank == 1 ? OnnxProblem::Kind::no_batch : OnnxProblem::Kind::plain);
    }
    // As graphs have it: far below what overflows.
    const auto count = element_count(std::span(extents).subspan(options_.batch_is_free ? 1 : 0));
    if (!count || *count > (std::int64_t{1} << 40))
      return problem(fmt::format("{} has the impossible shape {}", what, to_string(extents)));
    result_.run_time.emplace_back(input.name, std::move(extents));
  }

  const OnnxGraph& graph_;
  const std::vector<const OnnxNode*>& nodes_;
  const OnnxTraceOptions& options_;
  OnnxInputs result_;
};

}  // namespace

OnnxInputs onnx_inputs(const OnnxGraph& graph, const std::vector<const OnnxNode*>& nodes, const OnnxTraceOptions& options) {
  return Sorter(graph, nodes, options).run();
}

}  // namespace alexnet
