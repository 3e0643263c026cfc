#include "runtime/lower.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "runtime/arena.h"
#include "runtime/instruction_set.h"
#include "runtime/onednn/primitives.h"
#include "runtime/openmp.h"
#include "runtime/own_kernels.h"

namespace alexnet {
namespace {

constexpr Layout kPlain{};

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang 16 does not deduce it

// The same, whatever the number of threads around it. It must have been described under a ThreadScope of one.
Choice on_one_thread(Choice choice) {
  choice.prepare = [prepare = std::move(choice.prepare)]() -> Kernel {
    const ThreadScope at_creation(1);
    return [kernel = prepare()]() -> Run {
      return [run = kernel()](const StepMemory& at) {
        const ThreadScope at_run(1);
        run(at);
      };
    };
  };
  return choice;
}

class Lowering {
 public:
  Lowering(const Model& model, const std::vector<Exposed>& outputs, const CompileOptions& options)
      : model_(model), outputs_(outputs), options_(options) {}

  Program program() && {
    add_inputs();
    find_needed();
    for (const Node& node : model_.graph.nodes) {
      if (done_.contains(node.name)) continue;
      if (!needed_.contains(node.name)) {
        program_.plan.absent.push_back({node.name, "nothing needs it"});
        continue;
      }
      node_ = &node;
      layers_ = {node.name};
      lower_node(node);
    }
    add_outputs();
    finish_plan();
    place();
    return std::move(program_);
  }

 private:
  // -- names and values --

  void add_inputs() {
    for (const auto& input : model_.graph.inputs) {
      program_.inputs.push_back({input.name, input.shape});
      values_[input.name] = new_value(input.shape, kPlain, /*rows=*/false);
      program_.storages.back().input = program_.inputs.size() - 1;
    }
  }

  void find_needed() {
    for (const auto& output : outputs_) exposed_.insert(output.made_as);
    needed_ = exposed_;
    for (const Node& node : model_.graph.nodes | std::views::reverse) {
      if (needed_.contains(node.name)) needed_.insert(node.inputs.begin(), node.inputs.end());
    }
  }

  std::size_t new_value(const Shape& sample, const Layout& layout, bool rows) {
    const auto bytes = byte_count(layout, sample.with_batch(1));
    if (!bytes) too_large();
    program_.storages.push_back({.input = std::nullopt, .bytes = *bytes, .offset = 0, .many = false});
    program_.values.push_back({sample, layout, program_.storages.size() - 1, rows});
    return program_.values.size() - 1;
  }

  [[noreturn]] void too_large() const {
    throw Error(ErrorKind::resources, node_ == nullptr ? "" : fmt::format("layer '{}'", node_->name),
                "needs more bytes than can be counted");
  }

  const Value& value(std::size_t index) const { return program_.values[index]; }
  Shape shape(std::size_t index) const { return value(index).sample.with_batch(1); }
  std::size_t source(std::size_t input = 0) const { return values_.at(node_->inputs[input]); }

  const Weight& weight(std::string_view parameter) const { return model_.weights.at(fmt::format("{}.{}", node_->name, parameter)); }
  const Weight* optional_weight(bool present, std::string_view parameter) const { return present ? &weight(parameter) : nullptr; }

  // The ReLU that alone reads this node's output, if nobody else wants that: it can be done on the way.
  const Node* following_relu() const {
    if (exposed_.contains(node_->name)) return nullptr;
    const auto readers = consumers(model_.graph, node_->name);
    if (readers.size() != 1 || !std::holds_alternative<Relu>(readers.front()->layer)) return nullptr;
    return readers.front();
  }

  // -- steps --

  NetworkStep step(std::string kind, Choice choice, std::vector<std::size_t> sources) const {
    PlanStep plan{.kind = std::move(kind),
                  .layers = layers_,
                  .implementation = choice.implementation,
                  .precision = "f32",
                  .source_layout = to_string(choice.source, shape(sources[0]).rank()),
                  .destination_layout = {},
                  .rows = choice.any_rows,
                  .scratch_bytes = choice.scratch_bytes,
                  .weight_bytes = choice.weight_bytes,
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

  // Adds a step that makes a tensor of this shape, from sources that are in the layout its choice wants.
  std::size_t add(std::string kind, Choice choice, std::vector<std::size_t> sources, const Shape& sample) {
    NetworkStep next = step(std::move(kind), std::move(choice), std::move(sources));
    next.plan.destination_layout = to_string(next.choice.destination, sample.rank() + 1);
    const auto result = new_value(sample, next.choice.destination, next.rows);
    next.destination = result;
    program_.steps.push_back(std::move(next));
    return result;
  }

  std::size_t in_layout(std::size_t index, const Layout& layout) {
    if (value(index).layout == layout) return index;
    const auto known = reordered_.find({index, to_string(layout, 4)});
    if (known != reordered_.end()) return known->second;
    auto choice = onednn_reorder(shape(index), value(index).layout, layout);
    if (!choice)
      throw Error(ErrorKind::model, fmt::format("layer '{}'", node_->name), "needs a change of layout that oneDNN lacks");
    const auto result = add("reorder", std::move(*choice), {index}, value(index).sample);
    reordered_[{index, to_string(layout, 4)}] = result;
    return result;
  }

  // A step for the current node (and a ReLU done on the way), whose choice takes one source.
  void compute(Choice choice, const Node* relu = nullptr, std::uint64_t macs = 0) {
    compute_from(source(), std::move(choice), relu, macs);
  }

  void compute_from(std::size_t from, Choice choice, const Node* relu, std::uint64_t macs) {
    const Layout wanted = choice.source;
    const auto fed = in_layout(from, wanted);
    const Shape in = shape(source());
    const Shape out = output_shape(node_->layer, std::span(&in, 1)).without_batch();
    if (relu != nullptr) layers_.push_back(relu->name);
    const auto result = add(std::string(kind(node_->layer)), std::move(choice), {fed}, out);
    program_.steps.back().plan.macs = macs;
    for (const auto& name : layers_) bind(name, result);
  }

  void bind(const std::string& name, std::size_t index) {
    values_[name] = index;
    done_.insert(name);
  }

  // The node's output is its input's bytes under another shape.
  void view(std::size_t of, const Shape& sample) {
    program_.values.push_back({sample, kPlain, value(of).storage, value(of).rows});
    bind(node_->name, program_.values.size() - 1);
    program_.plan.absent.push_back({node_->name, fmt::format("view of '{}'", node_->inputs[0])});
  }

  // -- layers --

  // One line for each kind, none for all: a new kind stops here until someone has said how it runs. reference() always does.
  void lower_node(const Node& node) {
    if (batch_coupled(node.layer)) {
      throw Error(ErrorKind::model, fmt::format("layer '{}'", node.name),
                  fmt::format("{} makes each sample depend on the rest of its batch, which can't be run", kind(node.layer)),
                  "give it stored statistics");
    }
    std::visit(Overloaded{
                   [&](const AdaptiveAveragePool& layer) { adaptive_average_pool(layer); },
                   [&](const Add&) { reference(); },
                   [&](const AveragePool& layer) { average_pool(layer); },
                   [&](const BatchNorm& layer) { batch_norm(layer); },
                   [&](const BatchStatisticsNorm&) { reference(); },
                   [&](const Clip&) { reference(); },
                   [&](const Concat&) { reference(); },
                   [&](const Convolution& layer) { convolution(layer); },
                   [&](const Dropout&) { identity(); },
                   [&](const FilterResponseNorm&) { reference(); },
                   [&](const Flatten&) { view(in_layout(source(), kPlain), Shape{value(source()).sample.elements()}); },
                   [&](const GroupNorm&) { reference(); },
                   [&](const InstanceNorm&) { reference(); },
                   [&](const LayerNorm&) { reference(); },
                   [&](const Linear& layer) { linear(layer); },
                   [&](const LocalContrastNorm&) { reference(); },
                   [&](const LocalMeanSubtraction&) { reference(); },
                   [&](const Lrn& layer) { lrn(layer); },
                   [&](const MatMul&) { reference(); },
                   [&](const MaxPool& layer) { max_pool(layer); },
                   [&](const MovingAverageBatchNorm&) { reference(); },
                   [&](const Multiply&) { reference(); },
                   [&](const Pad&) { reference(); },
                   [&](const Relu&) { compute(own_relu(shape(source()), value(source()).layout, instructions_.simd)); },
                   [&](const Reshape& layer) { view(in_layout(source(), kPlain), Shape(layer.shape)); },
                   [&](const Scale&) { reference(); },
                   [&](const ScaleShift&) { reference(); },
                   [&](const Slice&) { reference(); },
                   [&](const Softmax& layer) { softmax(layer); },
                   [&](const SwitchableNorm&) { reference(); },
                   [&](const Transpose&) { reference(); },
               },
               node.layer);
  }

  void identity() {
    bind(node_->name, source());
    program_.plan.absent.push_back({node_->name, fmt::format("passes on '{}'", node_->inputs[0])});
  }

  void reference() {
    std::vector<std::size_t> sources;
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
      sources.push_back(in_layout(source(i), kPlain));
      shapes.push_back(shape(source(i)));
    }
    std::vector<Weight> weights;
    for (const auto& parameter : parameters(node_->layer, shapes)) weights.push_back(weight(parameter.name));
    const Shape out = output_shape(node_->layer, shapes).without_batch();
    const auto result =
        add(std::string(kind(node_->layer)), reference_layer(node_->layer, shapes, std::move(weights)), std::move(sources), out);
    bind(node_->name, result);
  }

  void convolution(const Convolution& layer) {
    const Node* relu = following_relu();
    const Weight* bias = optional_weight(layer.bias, "bias");
    const Shape in = shape(source());
    const Shape out = output_shape(node_->layer, std::span(&in, 1));
    const auto macs =
        static_cast<std::uint64_t>(out.elements()) * static_cast<std::uint64_t>(weight("weight").shape.elements() / out[1]);
    const auto describe = [&](const Convolution& what, const Shape& input, const std::optional<Layout>& layout = std::nullopt) {
      return onednn_convolution(what, input, weight("weight"), bias, relu != nullptr, layout);
    };
    const auto good = [](const auto& found) { return found && found->stable && !is_reference(found->choice); };
    auto best = describe(layer, in);
    if (!good(best)) {
      auto other = describe(layer, in, Layout{.order = Order::channels_last});
      if (good(other)) best = std::move(other);
    }
    if (!good(best) && layer.padding != Padding4{}) {
      // Some kernels do not take every padding, but take an input that has it already.
      const auto [top, left, bottom, right] = layer.padding;
      const Shape padded{1, in[1], top + in[2] + bottom, left + in[3] + right};
      Convolution bare = layer;
      bare.padding = {};
      auto other = describe(bare, padded);
      if (good(other)) {
        other->choice.note = "on an input padded beforehand, for a kernel that does not take this padding";
        const auto from = add("padding", own_pad(layer.padding, in), {in_layout(source(), kPlain)}, padded.without_batch());
        return compute_from(from, std::move(other->choice), relu, macs);
      }
    }
    if (!best) return reference();
    if (!best->stable) {
      const ThreadScope one(1);
      best = describe(layer, in);
      best->choice = on_one_thread(std::move(best->choice));
      best->choice.note = "on one thread: its sums would depend on the number of threads";
    }
    compute(std::move(best->choice), relu, macs);
  }

  void linear(const Linear& layer) {
    const Node* relu = following_relu();
    const Shape in = shape(source());
    const auto own = weight("weight").storage == Storage::int8_sparse ? own_sparse_linear : own_linear;
    compute(own(in, weight("weight"), optional_weight(layer.bias, "bias"), relu != nullptr, kRows, options_.threads,
                instructions_.simd),
            relu, static_cast<std::uint64_t>(weight("weight").shape.elements()));
  }

  void lrn(const Lrn& layer) {
    const Shape in = shape(source());
    auto primitive = in.rank() == 4 ? onednn_lrn(layer, in, value(source()).layout) : std::nullopt;
    if (primitive && !is_reference(*primitive)) return compute(std::move(*primitive));
    Choice own = own_lrn(layer, in, options_.threads, instructions_.simd);
    own.note = primitive ? "oneDNN has only its reference for these numbers" : "oneDNN has no such windows";
    compute(std::move(own));
  }

  void max_pool(const MaxPool& layer) {
    pool({.kind = Pooling::Kind::max,
          .window = {layer.kernel, layer.stride, layer.padding, layer.dilation, layer.rounding},
          .output = {}},
         window_pool(layer, shape(source())), /*same_divisor=*/true);
  }

  void average_pool(const AveragePool& layer) {
    // oneDNN's divisor with padding is the whole kernel, also where it hangs over the end.
    const bool hangs = layer.count_padding && layer.rounding == Rounding::ceil;
    pool({.kind = layer.count_padding ? Pooling::Kind::average_with_padding : Pooling::Kind::average_of_present,
          .window = {layer.kernel, layer.stride, layer.padding, layer.dilation, layer.rounding},
          .output = {}},
         window_pool(layer, shape(source())), !hangs);
  }

  void adaptive_average_pool(const AdaptiveAveragePool& layer) {
    const Shape in = shape(source());
    if (in[2] == layer.output[0] && in[3] == layer.output[1]) return identity();
    const bool even = in[2] % layer.output[0] == 0 && in[3] % layer.output[1] == 0;
    const Extent2 size{std::max<std::int64_t>(1, in[2] / layer.output[0]), std::max<std::int64_t>(1, in[3] / layer.output[1])};
    pool({.kind = Pooling::Kind::average_of_present, .window = {.kernel = size, .stride = size}, .output = {}},
         window_pool(layer, in), even);
  }

  void pool(Pooling pooling, WindowPool windows, bool same_divisor) {
    const Shape in = shape(source());
    const Shape out = output_shape(node_->layer, std::span(&in, 1));
    pooling.output = {out[2], out[3]};
    if (same_divisor) {
      auto primitive = onednn_pooling(pooling, in, value(source()).layout);
      if (primitive && !is_reference(*primitive)) return compute(std::move(*primitive));
    }
    Choice own = own_pool(std::move(windows), in);
    own.note = same_divisor ? "oneDNN has only its reference for these numbers" : "oneDNN has no such windows";
    compute(std::move(own));
  }

  void softmax(const Softmax& layer) {
    auto primitive = onednn_softmax(layer, shape(source()), value(source()).layout);
    if (!primitive) return reference();
    compute(std::move(*primitive));
  }

  void batch_norm(const BatchNorm& layer) {
    const Node* relu = following_relu();
    const BatchNormWeights weights{.mean = &weight("mean"),
                                   .variance = &weight("variance"),
                                   .scale = optional_weight(layer.scale, "scale"),
                                   .offset = optional_weight(layer.offset, "offset")};
    auto primitive = onednn_batch_norm(layer, shape(source()), value(source()).layout, weights, relu != nullptr);
    if (!primitive) return reference();
    compute(std::move(*primitive), relu);
  }

  // -- the end --

  void add_outputs() {
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

  void finish_plan() {
    std::ranges::stable_partition(program_.steps, [](const NetworkStep& s) { return !s.rows; });
    Plan& plan = program_.plan;
    plan.precision = "f32";
    if (options_.precision == Precision::bf16) plan.note = "asked for bf16, computed in f32: there are no bf16 kernels yet";
    if (options_.precision == Precision::int8) plan.note = "asked for int8, computed in f32: there are no int8 kernels yet";
    plan.instruction_set = instructions_.name;
    plan.threads = options_.threads;
    plan.slice = 1;
    plan.rows = kRows;
    for (const NetworkStep& s : program_.steps) {
      plan.weight_bytes += s.choice.weight_bytes;
      plan.created_bytes += s.choice.created_bytes;
      plan.macs += s.plan.macs;
    }
  }

  // Where every tensor and all scratch lies. What crosses from the slices to the rows lives through all slices of a block.
  void place() {
    std::vector<Lifetime> lifetimes(program_.storages.size());
    std::vector<bool> seen(lifetimes.size());
    for (std::size_t i = 0; i < program_.steps.size(); ++i) {
      const NetworkStep& s = program_.steps[i];
      const auto touch = [&](std::size_t index) {
        const auto at = value(index).storage;
        ValueStorage& storage = program_.storages[at];
        if (storage.input) return;
        lifetimes[at].last = i;
        if (!seen[at]) lifetimes[at].first = i;
        seen[at] = true;
        if (!s.rows) return;
        storage.many = true;
        if (!value(index).rows) lifetimes[at].first = 0;
      };
      for (const auto source : s.sources) touch(source);
      if (s.destination) touch(*s.destination);
    }
    for (std::size_t at = 0; at < lifetimes.size(); ++at) {
      if (!seen[at]) continue;
      const auto bytes = checked_multiply<std::uint64_t>(program_.storages[at].bytes, program_.storages[at].many ? kRows : 1);
      if (!bytes) too_large();
      lifetimes[at].bytes = *bytes;
    }
    for (std::size_t i = 0; i < program_.steps.size(); ++i) lifetimes.push_back({program_.steps[i].choice.scratch_bytes, i, i});
    const auto arena = plan_arena(lifetimes);
    if (!arena) too_large();
    program_.plan.arena_bytes = arena->bytes;
    for (std::size_t at = 0; at < program_.storages.size(); ++at) program_.storages[at].offset = arena->offsets[at];
    for (std::size_t i = 0; i < program_.steps.size(); ++i) {
      NetworkStep& s = program_.steps[i];
      s.scratch_offset = arena->offsets[program_.storages.size() + i];
      if (s.destination) {
        const auto at = value(*s.destination).storage;
        s.plan.arena_offset = arena->offsets[at];
        s.plan.arena_bytes = lifetimes[at].bytes;
      }
      program_.plan.steps.push_back(s.plan);
    }
  }

  const Model& model_;
  const std::vector<Exposed>& outputs_;
  const CompileOptions& options_;
  const InstructionSet instructions_ = instruction_set();
  Program program_;
  std::map<std::string, std::size_t> values_;  // by the name of a node or an input
  std::map<std::pair<std::size_t, std::string>, std::size_t> reordered_;
  std::set<std::string> exposed_;
  std::set<std::string> needed_;
  std::set<std::string> done_;

  const Node* node_ = nullptr;       // being lowered
  std::vector<std::string> layers_;  // that the step being made computes
};

}  // namespace

Program lower(const Model& model, const std::vector<Exposed>& outputs, const CompileOptions& options) {
  return Lowering(model, outputs, options).program();
}

}  // namespace alexnet
