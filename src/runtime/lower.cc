#include "runtime/lower.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "runtime/lower_layers.h"
#include "runtime/own_kernels.h"
#include "runtime/place.h"

namespace alexnet {
namespace {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang 16 does not deduce it

// One line for each kind, none for all: a new kind stops here until someone has said how it runs. reference() always does.
void lower_node(ProgramBuilder& at, const Node& node) {
  if (batch_coupled(node.layer)) {
    throw Error(ErrorKind::model, fmt::format("layer '{}'", node.name),
                fmt::format("{} makes each sample depend on the rest of its batch, which can't be run", kind(node.layer)),
                "give it stored statistics");
  }
  std::visit(
      Overloaded{
          [&](const AdaptiveAveragePool& layer) { lower_adaptive_average_pool(at, layer); },
          [&](const Add&) { at.reference(); },
          [&](const AveragePool& layer) { lower_average_pool(at, layer); },
          [&](const BatchNorm& layer) { lower_batch_norm(at, layer); },
          [&](const BatchStatisticsNorm&) { at.reference(); },
          [&](const Clip&) { at.reference(); },
          [&](const Concat&) { at.reference(); },
          [&](const Convolution& layer) { lower_convolution(at, layer); },
          [&](const Dropout&) { at.identity(); },
          [&](const FilterResponseNorm&) { at.reference(); },
          [&](const Flatten&) { at.view(at.in_layout(at.source(), kPlain), Shape{at.value(at.source()).sample.elements()}); },
          [&](const GroupNorm&) { at.reference(); },
          [&](const InstanceNorm&) { at.reference(); },
          [&](const LayerNorm&) { at.reference(); },
          [&](const Linear& layer) { lower_linear(at, layer); },
          [&](const LocalContrastNorm&) { at.reference(); },
          [&](const LocalMeanSubtraction&) { at.reference(); },
          [&](const Lrn& layer) { lower_lrn(at, layer); },
          [&](const MatMul&) { at.reference(); },
          [&](const MaxPool& layer) { lower_max_pool(at, layer); },
          [&](const MovingAverageBatchNorm&) { at.reference(); },
          [&](const Multiply&) { at.reference(); },
          [&](const Pad&) { at.reference(); },
          [&](const Relu&) { at.compute(own_relu(at.shape(at.source()), at.value(at.source()).layout, at.instructions().simd)); },
          [&](const Reshape& layer) { at.view(at.in_layout(at.source(), kPlain), Shape(layer.shape)); },
          [&](const Scale&) { at.reference(); },
          [&](const ScaleShift&) { at.reference(); },
          [&](const Slice&) { at.reference(); },
          [&](const Softmax& layer) { lower_softmax(at, layer); },
          [&](const SwitchableNorm&) { at.reference(); },
          [&](const Transpose&) { at.reference(); },
      },
      node.layer);
}

void finish_plan(Program& program, const CompileOptions& options) {
  std::ranges::stable_partition(program.steps, [](const NetworkStep& s) { return !s.rows; });
  Plan& plan = program.plan;
  plan.precision = "f32";
  if (options.precision == Precision::bf16) plan.note = "asked for bf16, computed in f32: there are no bf16 kernels yet";
  if (options.precision == Precision::int8) plan.note = "asked for int8, computed in f32: there are no int8 kernels yet";
  plan.instruction_set = instruction_set().name;
  plan.threads = options.threads;
  plan.slice = std::ranges::any_of(program.steps, [](const NetworkStep& s) { return s.choice.slice_rows > 1; }) ? kSlice : 1;
  plan.rows = kRows;
  for (const NetworkStep& s : program.steps) {
    plan.weight_bytes += s.choice.weight_bytes;
    plan.created_bytes += s.choice.created_bytes;
    plan.macs += s.plan.macs;
  }
}

// Steps that take one sample make a segment with their like, so that a sample's tensors stay in the caches.
void find_segments(Program& program) {
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const NetworkStep& s = program.steps[i];
    const auto rows = s.choice.any_rows ? kRows : s.rows ? 1 : s.choice.slice_rows;
    const bool first_of_block = s.rows && (i == 0 || !program.steps[i - 1].rows);
    if (first_of_block) program.slice_segments = program.segments.size();
    const bool joins = i > 0 && !first_of_block && rows == 1 && program.segments.back().rows == 1;
    if (!joins) program.segments.push_back({i, i, rows});
    program.segments.back().end = i + 1;
  }
  if (program.steps.empty() || !program.steps.back().rows) program.slice_segments = program.segments.size();
}

}  // namespace

Program lower(const Model& model, const std::vector<Exposed>& outputs, const CompileOptions& options) {
  ProgramBuilder builder(model, outputs, options);
  for (const Node& node : model.graph.nodes) {
    if (builder.begin(node)) lower_node(builder, node);
  }
  Program program = std::move(builder).finish();
  finish_plan(program, options);
  find_segments(program);
  place(program);
  return program;
}

}  // namespace alexnet
