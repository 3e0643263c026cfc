#include "runtime/network.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "base/text.h"
#include "base/threads.h"
#include "passes/passes.h"
#include "runtime/lower.h"
#include "runtime/openmp.h"
#include "runtime/precision.h"

namespace alexnet {

struct Network::Impl {
  Program program;
  std::vector<Kernel> kernels;  // one for each step
};

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Network::~Network() = default;

const std::vector<TensorInfo>& Network::inputs() const { return impl_->program.inputs; }
const std::vector<TensorInfo>& Network::outputs() const { return impl_->program.outputs; }
const Plan& Network::plan() const { return impl_->program.plan; }
int Network::threads() const { return impl_->program.plan.threads; }

namespace {

// The graph's outputs, then what is to be kept, each once.
std::vector<std::string> output_names(const Graph& graph, const std::vector<std::string>& keep) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const auto& name : graph.outputs) add(name);
  for (const auto& name : keep) {
    if (find(graph, name) == nullptr && std::ranges::find(graph.inputs, name, &GraphInput::name) == graph.inputs.end())
      throw Error(ErrorKind::usage, "keep", fmt::format("no layer or input is called {}", shown(name)));
    add(name);
  }
  return names;
}

}  // namespace

std::shared_ptr<const Network> compile(const Model& model, const CompileOptions& options) {
  CompileOptions chosen = options;
  if (options.threads < 0) throw Error(ErrorKind::usage, "threads", fmt::format("{} is less than one", options.threads));
  if (options.threads == 0) chosen.threads = thread_budget().threads;
  const auto precision = chosen_precision(model, options.precision, instruction_set(), options.emulate_bf16);
  chosen.precision = precision.precision;
  const ThreadScope scope(chosen.threads);
  auto impl = std::make_unique<Network::Impl>();
  const auto names = output_names(model.graph, options.keep);
  const Optimised best = optimised(model, names);
  std::vector<Exposed> outputs;
  for (const auto& name : names) outputs.push_back({name, best.resolved(name)});
  impl->program = lower(best.model, outputs, chosen);
  impl->program.max_memory = options.max_memory;
  impl->program.plan.passes = best.notes;
  if (impl->program.plan.note.empty()) impl->program.plan.note = precision.note;
  const Plan& plan = impl->program.plan;
  const auto wanted = checked_add(plan.arena_bytes, plan.created_bytes);
  if (!wanted || *wanted > options.max_memory) {
    throw Error(ErrorKind::resources, "",
                fmt::format("the network needs {} bytes for a run and {} for weights, more than the {} allowed", plan.arena_bytes,
                            plan.created_bytes, options.max_memory));
  }
  for (NetworkStep& step : impl->program.steps) {
    impl->kernels.push_back(step.choice.prepare());
    step.choice.prepare = nullptr;  // lets go of weights in their stored form
  }
  if (impl->program.prepared) impl->program.plan.prepared = impl->program.prepared->counts();
  return std::shared_ptr<const Network>(new Network(std::move(impl)));
}

namespace {

struct Free {
  void operator()(std::byte* memory) const { std::free(memory); }
};

// Not cleared: pages that are never written take no memory.
std::unique_ptr<std::byte, Free> arena_memory(std::uint64_t bytes) {
  constexpr std::uint64_t kPage = 4096;
  const auto rounded = checked_add<std::uint64_t>(bytes, kPage);
  void* memory = rounded ? std::aligned_alloc(kPage, *rounded / kPage * kPage) : nullptr;
  if (memory == nullptr) throw Error(ErrorKind::resources, "", fmt::format("no memory for a run's {} bytes", bytes));
  return std::unique_ptr<std::byte, Free>(static_cast<std::byte*>(memory));
}

}  // namespace

struct Session::Impl {
  std::shared_ptr<const Network> network;
  const Program& program;
  std::unique_ptr<std::byte, Free> arena;
  std::vector<Run> runs;                  // one for each step
  std::vector<const std::byte*> sources;  // of the step that runs
  // Where the current block of rows lies in what the caller gave.
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> outputs;
  // Samples for which the arena is laid out, and those for which it has room; more than one only if the batch runs as a whole.
  std::uint64_t samples = 1;
  std::uint64_t room = 1;
  std::vector<double> step_seconds;  // one for each step, or empty: nobody wants to know

  Impl(std::shared_ptr<const Network> compiled, bool timed)
      : network(std::move(compiled)), program(network->impl_->program), arena(arena_memory(program.plan.arena_bytes)) {
    const ThreadScope scope(program.plan.threads);
    std::size_t most = 0;
    for (const auto& kernel : network->impl_->kernels) runs.push_back(kernel());
    for (const NetworkStep& step : program.steps) most = std::max(most, step.sources.size());
    sources.resize(most);
    inputs.resize(program.inputs.size());
    outputs.resize(program.outputs.size());
    if (timed) step_seconds.resize(program.steps.size());
  }

  // Row `row` of the current block.
  const std::byte* source(std::size_t value, std::int64_t row) const {
    const ValueStorage& storage = program.storages[program.values[value].storage];
    if (storage.input) return inputs[*storage.input] + static_cast<std::uint64_t>(row) * storage.bytes;
    const auto before = static_cast<std::uint64_t>(row % storage.samples) * storage.bytes;
    return arena.get() + program.shared_bytes + storage.offset * samples + before;
  }

  std::byte* destination(const NetworkStep& step, std::int64_t row) const {
    if (!step.output) return const_cast<std::byte*>(source(*step.destination, row));
    const auto elements = static_cast<std::uint64_t>(program.outputs[*step.output].shape.elements());
    return outputs[*step.output] + static_cast<std::uint64_t>(row) * elements * sizeof(float);
  }

  bool whole_batch() const { return !program.plan.whole_batch.empty(); }

  std::byte* scratch(const NetworkStep& step) const {
    if (whole_batch() && !step.choice.whole_batch) return arena.get();
    return arena.get() + program.shared_bytes + step.scratch_offset * samples;
  }

  // Lays the arena out for a run of so many samples.
  void make_room(std::uint64_t wanted) {
    const auto of_samples = checked_multiply(program.plan.arena_bytes - program.shared_bytes, wanted);
    const auto bytes = of_samples ? checked_add(*of_samples, program.shared_bytes) : std::nullopt;
    const auto all = bytes ? checked_add(*bytes, program.plan.created_bytes) : std::nullopt;
    if (!all || *all > program.max_memory) {
      throw Error(ErrorKind::resources, fmt::format("batch of {}", wanted),
                  fmt::format("layer '{}' takes statistics from the whole batch, and {} bytes for each sample are too many",
                              program.plan.whole_batch.front(), program.plan.arena_bytes - program.shared_bytes),
                  "run smaller batches, each with statistics of its own");
    }
    if (wanted > room) arena = arena_memory(*bytes);
    room = std::max(room, wanted);
    samples = wanted;
  }

  void run_step(std::size_t index, std::int64_t row, std::int64_t rows) {
    const NetworkStep& step = program.steps[index];
    for (std::size_t i = 0; i < step.sources.size(); ++i) sources[i] = source(step.sources[i], row);
    const StepMemory memory{.sources = std::span(sources).first(step.sources.size()),
                            .destination = destination(step, row),
                            .scratch = scratch(step),
                            .rows = rows};
    if (step_seconds.empty()) return runs[index](memory);
    const auto start = std::chrono::steady_clock::now();
    runs[index](memory);
    step_seconds[index] += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  void run_segments(std::size_t begin, std::size_t end, std::int64_t first, std::int64_t rows) {
    for (auto g = begin; g < end; ++g) {
      const Segment& segment = program.segments[g];
      for (std::int64_t row = 0; row < rows; row += segment.rows)
        for (auto i = segment.begin; i < segment.end; ++i) run_step(i, first + row, std::min(segment.rows, rows - row));
    }
  }

  void run_block(std::int64_t rows) {
    if (whole_batch()) return run_segments(0, program.segments.size(), 0, rows);
    for (std::int64_t row = 0; row < rows; row += program.plan.slice)
      run_segments(0, program.slice_segments, row, std::min(program.plan.slice, rows - row));
    run_segments(program.slice_segments, program.segments.size(), 0, rows);
  }
};

Session::Session(std::shared_ptr<const Network> network, bool timed) : impl_(std::make_unique<Impl>(std::move(network), timed)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

namespace {

void check_sizes(std::string_view what, std::int64_t batch, const std::vector<TensorInfo>& tensors, const auto& given) {
  if (given.size() != tensors.size())
    throw Error(ErrorKind::usage, std::string(what), fmt::format("wants {} tensors, found {}", tensors.size(), given.size()));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto wanted = checked_multiply(batch, tensors[i].shape.elements());
    if (wanted && static_cast<std::uint64_t>(*wanted) == given[i].size()) continue;
    throw Error(ErrorKind::usage, fmt::format("{} '{}'", what, tensors[i].name),
                fmt::format("{} samples of {} do not make {} elements", batch, to_string(tensors[i].shape), given[i].size()));
  }
}

}  // namespace

void Session::run(std::int64_t batch, std::span<const std::span<const float>> inputs, std::span<const std::span<float>> outputs) {
  const Program& program = impl_->program;
  if (batch < 0) throw Error(ErrorKind::usage, "batch", fmt::format("{} is negative", batch));
  check_sizes("input", batch, program.inputs, inputs);
  check_sizes("output", batch, program.outputs, outputs);
  const ThreadScope scope(program.plan.threads);
  if (impl_->whole_batch() && batch > 0) impl_->make_room(static_cast<std::uint64_t>(batch));
  const std::int64_t block = impl_->whole_batch() ? std::max<std::int64_t>(batch, 1) : kRows;
  for (std::int64_t done = 0; done < batch; done += block) {
    const auto at = [&](const std::vector<TensorInfo>& tensors, std::size_t i) { return done * tensors[i].shape.elements(); };
    for (std::size_t i = 0; i < inputs.size(); ++i)
      impl_->inputs[i] = reinterpret_cast<const std::byte*>(inputs[i].data() + at(program.inputs, i));
    for (std::size_t i = 0; i < outputs.size(); ++i)
      impl_->outputs[i] = reinterpret_cast<std::byte*>(outputs[i].data() + at(program.outputs, i));
    impl_->run_block(std::min(block, batch - done));
  }
}

std::vector<double> Session::take_step_seconds() {
  std::vector<double> taken(impl_->step_seconds.size());
  taken.swap(impl_->step_seconds);
  return taken;
}

}  // namespace alexnet
