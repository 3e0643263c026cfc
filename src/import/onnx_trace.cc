#include "import/onnx_trace.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "formats/onnx_tensor.h"
#include "import/onnx_attributes.h"
#include "import/onnx_inputs.h"
#include "import/onnx_order.h"

namespace alexnet {
namespace {

// Folding rearranges weights a few times at most; shape arithmetic takes next to nothing. Networks whose weights are only described
// (ConstantOfShape) may be of the size of AlexNet, which has 240 MB, several times.
std::uint64_t budget_of(const OnnxGraph& graph) {
  std::uint64_t bytes = std::uint64_t{1} << 30;
  for (const auto& initializer : graph.initializers) bytes += 8 * initializer.tensor.byte_count();
  return bytes;
}

bool is_float_type(std::int64_t type) {
  const auto element = onnx_element_type(type);
  return element == ElementType::f32 || element == ElementType::f64 || element == ElementType::f16 || element == ElementType::bf16;
}

class Tracer {
 public:
  Tracer(const OnnxModel& model, const OnnxTraceOptions& options, const std::string& where)
      : model_(model), options_(options), where_(where) {
    trace_.budget = FoldBudget(budget_of(model.graph));
  }

  OnnxTrace run() {
    const auto nodes = ordered_nodes(model_.graph, where_);
    const auto opset = model_.opsets.find("");
    if (opset == model_.opsets.end()) throw Error(ErrorKind::model, where_, "does not say which operator set it uses");
    trace_.opset = opset->second;
    add_constants(model_.graph);
    add_inputs(nodes);
    for (const auto* node : nodes) follow(*node);
    for (const auto& output : model_.graph.outputs) add_output(output.name);
    std::vector<OnnxProblem> unsupported_first;
    for (const auto& [op, labels] : unsupported_) {
      unsupported_first.push_back({fmt::format("operator {} is not supported: {}", printable(op), join(labels, ", "))});
    }
    trace_.problems.insert(trace_.problems.begin(), unsupported_first.begin(), unsupported_first.end());
    find_unused(nodes);
    drop_unneeded(trace_);
    return std::move(trace_);
  }

 private:
  void problem(std::string text, OnnxProblem::Kind kind = OnnxProblem::Kind::plain) {
    trace_.problems.push_back({std::move(text), kind});
  }

  // The name in the trace of what a node reads: inside a branch names may be its own.
  std::string resolved(std::string name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (const auto own = scope->find(name); own != scope->end()) {
        name = own->second;
        break;
      }
    }
    const auto alias = aliases_.find(name);
    return alias == aliases_.end() ? name : alias->second;
  }

  void add_constants(const OnnxGraph& graph) {
    for (const auto& [name, tensor] : graph.initializers) trace_.constants[name] = {tensor, name, ""};
  }

  void add_inputs(const std::vector<const OnnxNode*>& nodes) {
    auto inputs = onnx_inputs(model_.graph, nodes, options_);
    trace_.batch_is_free = options_.batch_is_free;
    trace_.written_batch = inputs.written_batch;
    for (auto& [name, tensor] : inputs.bound) trace_.constants[name] = {tensor, name, "given as an input"};
    for (auto& [name, extents] : inputs.run_time) {
      trace_.inputs.push_back(name);
      trace_.extents[name] = std::move(extents);
    }
    for (auto& each : inputs.problems) trace_.problems.push_back(std::move(each));
  }

  void unsupported(const std::string& op, const std::string& label) {
    unsupported_[op].push_back(label.substr(0, label.rfind(" (")));
  }

  void find_unused(const std::vector<const OnnxNode*>& nodes) {
    std::set<std::string> read;
    for (const auto* node : nodes) {
      for (auto& name : names_read(*node)) read.insert(std::move(name));
    }
    for (const auto& initializer : model_.graph.initializers) {
      if (!read.contains(initializer.name)) trace_.unused.push_back(initializer.name);
    }
  }

  void add_output(const std::string& name) {
    const auto value = resolved(name);
    if (trace_.constants.contains(value)) {
      problem(fmt::format("output {} is a constant", shown(name)));
    } else if (trace_.extents.contains(value)) {
      trace_.outputs.emplace_back(name, value);
    } else if (trace_.problems.empty() && unsupported_.empty()) {
      problem(fmt::format("output {} depends on an output that its node does not make", shown(name)));
    }
  }

  void follow(const OnnxNode& written) {
    OnnxNode node = written;
    for (auto& input : node.inputs) input = resolved(input);
    const auto label = label_of(written);
    // Whatever its inputs are, so that all unsupported operators are listed at once.
    if (!node.domain.empty()) return unsupported(fmt::format("{}::{}", node.domain, node.op_type), label);
    if (node.op_type != "If" && !can_fold(node.op_type) && !has_extent_rule(node.op_type)) return unsupported(node.op_type, label);
    // A value whose own problem is listed already brings no more of them.
    const bool known = std::ranges::all_of(node.inputs, [&](const auto& name) {
      return name.empty() || trace_.constants.contains(name) || trace_.extents.contains(name);
    });
    if (!known) return;
    try {
      follow_known(std::move(node), label);
    } catch (const BatchMixed& error) {
      problem(fmt::format("{}: {}", label, error.message()), OnnxProblem::Kind::mixes_batch);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::model) throw;
      problem(fmt::format("{}: {}", label, error.message()));
    }
  }

  void follow_known(OnnxNode node, const std::string& label) {
    if (node.outputs.empty()) return;
    if (node.op_type == "If") return follow_branch(node, label);
    const auto operands = trace_.operands(node);
    const OnnxCall call{node, operands, trace_.opset, trace_.written_batch};
    const bool constant = std::ranges::all_of(operands, [](const auto& each) { return each.absent() || each.constant != nullptr; });
    if (can_fold(node.op_type) && (constant || node.op_type == "Shape" || node.op_type == "Size")) {
      if (const auto folded = fold(call, trace_.budget)) {
        for (std::size_t i = 0; i < std::min(folded->size(), node.outputs.size()); ++i)
          trace_.constants[node.outputs[i]] = (*folded)[i];
        return;
      }
      throw BatchMixed("computes with the size of the batch, which is free");
    }
    if (passes_on(call)) {
      aliases_[node.outputs[0]] = node.inputs[0];
      return;
    }
    if (!has_extent_rule(node.op_type)) call.fail("is supported only on constants");
    if (constant) call.fail("computes from constants, which is not supported for this operator");
    const auto extents = output_extents(call);
    for (std::size_t i = 0; i < std::min(extents.size(), node.outputs.size()); ++i) {
      if (!node.outputs[i].empty()) trace_.extents[node.outputs[i]] = extents[i];
    }
    trace_.ops.push_back({std::move(node), label, std::nullopt});
  }

  // Identity, and casts between floating-point types: all are computed in f32.
  bool passes_on(const OnnxCall& call) {
    if (call.node.op_type == "Identity") return true;
    if (call.node.op_type != "Cast") return false;
    std::int64_t type = 0;
    if (const auto* named = std::get_if<std::string>(&call.node.attributes.at("to"))) {  // before operator set 6
      type = *named == "FLOAT" ? 1 : *named == "FLOAT16" ? 10 : *named == "DOUBLE" ? 11 : 0;
    } else {
      type = int_attribute(call.node, "to", 0);
    }
    if (!is_float_type(type)) call.fail(fmt::format("casts values of the network to {}", onnx_type_name(type)));
    if (type != 1)
      trace_.notes.push_back(fmt::format("{} casts to {}: computed in f32", label_of(call.node), onnx_type_name(type)));
    return true;
  }

  void follow_branch(const OnnxNode& node, const std::string& label) {
    const auto condition = trace_.constants.find(node.inputs.empty() ? "" : node.inputs[0]);
    if (condition == trace_.constants.end())
      return problem(fmt::format("{} has a condition that is known only when the network runs", label));
    const auto& truth = condition->second.tensor;
    if (truth.type() != ElementType::boolean || truth.shape().elements() != 1)
      return problem(fmt::format("{} has a condition that is no truth value", label));
    const auto* name = truth.bytes()[0] != std::byte{0} ? "then_branch" : "else_branch";
    const auto found = node.attributes.find(name);
    const auto* graph = found == node.attributes.end() ? nullptr : std::get_if<std::shared_ptr<const OnnxGraph>>(&found->second);
    if (graph == nullptr) return problem(fmt::format("{} has no {}", label, name));
    if ((*graph)->outputs.size() != node.outputs.size())
      return problem(fmt::format("{} and its {} have different numbers of outputs", label, name));

    // Names inside are put behind the node's own: two branches may use the same ones.
    scopes_.emplace_back();
    const auto enter = [&](const std::string& own) {
      return own.empty() ? own : scopes_.back()[own] = fmt::format("{}/{}", node.outputs[0], own);
    };
    for (const auto& [own, tensor] : (*graph)->initializers) trace_.constants[enter(own)] = {tensor, own, ""};
    for (const auto& written : (*graph)->nodes) {
      OnnxNode copy = written;
      for (auto& output : copy.outputs) output = enter(output);
      follow(copy);
    }
    std::vector<std::string> results;
    for (const auto& output : (*graph)->outputs) results.push_back(resolved(output.name));
    scopes_.pop_back();
    for (std::size_t i = 0; i < node.outputs.size(); ++i) aliases_[node.outputs[i]] = results[i];
  }

  const OnnxModel& model_;
  const OnnxTraceOptions& options_;
  const std::string& where_;
  OnnxTrace trace_;
  std::map<std::string, std::string> aliases_;
  std::map<std::string, std::vector<std::string>> unsupported_;  // nodes by operator
  std::vector<std::map<std::string, std::string>> scopes_;       // names inside the branches being followed, the innermost last
};

}  // namespace

std::vector<OnnxOperand> OnnxTrace::operands(const OnnxNode& node) const {
  std::vector<OnnxOperand> result;
  for (const auto& name : node.inputs) {
    OnnxOperand operand;
    if (const auto constant = constants.find(name); constant != constants.end()) {
      operand = {&constant->second, extents_of(constant->second.tensor)};
    } else if (const auto known = extents.find(name); known != extents.end()) {
      operand.extents = known->second;
    }
    result.push_back(std::move(operand));
  }
  return result;
}

OnnxTrace trace(const OnnxModel& model, const OnnxTraceOptions& options, const std::string& where) {
  return Tracer(model, options, where).run();
}

void drop_unneeded(OnnxTrace& trace) {
  std::set<std::string> needed;
  for (const auto& [name, value] : trace.outputs) needed.insert(value);
  std::vector<OnnxOp> kept;
  for (auto op = trace.ops.rbegin(); op != trace.ops.rend(); ++op) {
    if (std::ranges::none_of(op->node.outputs, [&](const auto& name) { return needed.contains(name); })) continue;
    needed.insert(op->node.inputs.begin(), op->node.inputs.end());
    kept.push_back(std::move(*op));
  }
  std::ranges::reverse(kept);
  trace.ops = std::move(kept);
}

}  // namespace alexnet
