#include "runtime/lower.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "runtime/lower_layers.h"
#include "runtime/own_kernels.h"
#include "runtime/place.h"
#include "runtime/precision.h"

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
  std::visit(Overloaded{
                 [&](const AdaptiveAveragePool& layer) { lower_adaptive_average_pool(at, layer); },
                 [&](const Add&) { at.reference(); },
                 [&](const AveragePool& layer) { lower_average_pool(at, layer); },
                 [&](const BatchNorm& layer) { lower_batch_norm(at, layer); },
                 [&](const BatchStatisticsNorm& layer) { lower_norm(at, layer); },
                 [&](const Clip&) { at.reference(); },
                 [&](const Concat&) { at.reference(); },
                 [&](const Convolution& layer) { lower_convolution(at, layer); },
                 [&](const Dropout&) { at.identity(); },
                 [&](const FilterResponseNorm& layer) { lower_norm(at, layer); },
                 [&](const Flatten&) {
                   at.view(at.in_layout(at.source(), at.row_major()), Shape{at.value(at.source()).sample.elements()});
                 },
                 [&](const GroupNorm& layer) { lower_norm(at, layer); },
                 [&](const InstanceNorm& layer) { lower_norm(at, layer); },
                 [&](const LayerNorm& layer) { lower_norm(at, layer); },
                 [&](const Linear& layer) { lower_linear(at, layer); },
                 [&](const LocalContrastNorm& layer) { lower_norm(at, layer); },
                 [&](const LocalMeanSubtraction& layer) { lower_norm(at, layer); },
                 [&](const Lrn& layer) { lower_lrn(at, layer); },
                 [&](const MatMul&) { at.reference(); },
                 [&](const MaxPool& layer) { lower_max_pool(at, layer); },
                 [&](const MovingAverageBatchNorm& layer) { lower_norm(at, layer); },
                 [&](const Multiply&) { at.reference(); },
                 [&](const Pad&) { at.reference(); },
                 [&](const Relu&) { at.compute(own_relu(at.shape(at.source()), at.f32_layout(), at.instructions().simd)); },
                 [&](const Reshape& layer) { at.view(at.in_layout(at.source(), at.row_major()), Shape(layer.shape)); },
                 [&](const Scale& layer) { lower_norm(at, layer); },
                 [&](const ScaleShift& layer) { lower_norm(at, layer); },
                 [&](const Slice&) { at.reference(); },
                 [&](const Softmax& layer) { lower_softmax(at, layer); },
                 [&](const SwitchableNorm& layer) { lower_norm(at, layer); },
                 [&](const Transpose&) { at.reference(); },
             },
             node.layer);
}

void finish_plan(Program& program, const CompileOptions& options) {
  std::ranges::stable_partition(program.steps, [](const NetworkStep& s) { return !s.rows; });
  Plan& plan = program.plan;
  const std::string wanted(name(options.precision));
  const bool has = std::ranges::any_of(program.steps, [&](const NetworkStep& s) { return s.plan.precision == wanted; });
  plan.precision = has ? wanted : "f32";
  if (plan.precision != wanted) plan.note = fmt::format("asked for {}, computed in f32: no layer can be computed in it", wanted);
  plan.instruction_set = instruction_set().name;
  plan.threads = options.threads;
  plan.slice = std::ranges::any_of(program.steps, [](const NetworkStep& s) { return s.choice.slice_rows > 1; }) ? kSlice : 1;
  plan.rows = options.rows;
  for (const NetworkStep& s : program.steps) {
    plan.weight_bytes += s.choice.weight_bytes;
    plan.created_bytes += s.choice.created_bytes;
    plan.macs += s.plan.macs;
  }
}

// Each step runs for all of the batch before the next one does.
void one_segment_a_step(Program& program) {
  program.segments.clear();
  program.slice_segments = 0;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Choice& choice = program.steps[i].choice;
    program.segments.push_back({i, i + 1,
                                choice.whole_batch ? INT64_MAX
                                : choice.any_rows  ? program.plan.rows
                                                   : choice.slice_rows});
  }
}

// Steps that take one sample make a segment with their like, so that a sample's tensors stay in the caches.
void find_segments(Program& program) {
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const NetworkStep& s = program.steps[i];
    const auto rows = s.choice.any_rows ? program.plan.rows : s.rows ? 1 : s.choice.slice_rows;
    const bool first_of_block = s.rows && (i == 0 || !program.steps[i - 1].rows);
    if (first_of_block) program.slice_segments = program.segments.size();
    if (s.choice.whole_batch) program.plan.whole_batch.push_back(s.plan.layers.front());
    const bool joins = i > 0 && !first_of_block && rows == 1 && program.segments.back().rows == 1;
    if (!joins) program.segments.push_back({i, i, rows});
    program.segments.back().end = i + 1;
  }
  if (program.steps.empty() || !program.steps.back().rows) program.slice_segments = program.segments.size();
  if (!program.plan.whole_batch.empty()) one_segment_a_step(program);
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
  place(program, options.max_memory);
  return program;
}

}  // namespace alexnet
