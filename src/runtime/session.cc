#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <omp.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "runtime/network.h"
#include "runtime/network_impl.h"
#include "runtime/openmp.h"
#include "runtime/parallel.h"

namespace alexnet {
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

// What a thread needs to run steps.
struct Worker {
  std::vector<Run> runs;                  // one for each step
  std::vector<const std::byte*> sources;  // of the step that runs
  std::byte* slice = nullptr;             // where the tensors of its slice lie
  std::int64_t first = 0;                 // the row of the block with which its slice begins
  double share = 1;                       // of the time that passes while it runs, with others beside it
  std::vector<double> step_seconds;       // one for each step, or empty: nobody wants to know
};

}  // namespace

struct Session::Impl {
  std::shared_ptr<const Network> network;
  const Program& program;
  std::unique_ptr<std::byte, Free> arena;
  std::vector<Worker> workers;  // for as many slices as may be under way; the first one runs all else
  // Where the current block of rows lies in what the caller gave.
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> outputs;
  // Samples for which the arena is laid out, and those for which it has room; more than one only if the batch runs as a whole.
  std::uint64_t samples = 1;
  std::uint64_t room = 1;

  Impl(std::shared_ptr<const Network> compiled, bool timed)
      : network(std::move(compiled)), program(network->impl_->program), arena(arena_memory(program.plan.arena_bytes)) {
    const ThreadScope scope(program.plan.threads);
    std::size_t most = 0;
    for (const NetworkStep& step : program.steps) most = std::max(most, step.sources.size());
    for (int i = 0; i < program.plan.slices_at_once; ++i) {
      Worker& worker = workers.emplace_back();
      for (const auto& kernel : network->impl_->kernels) worker.runs.push_back(kernel());
      worker.sources.resize(most);
      worker.slice = arena.get() + program.block_bytes + static_cast<std::uint64_t>(i) * program.slice_bytes;
      if (timed) worker.step_seconds.resize(program.steps.size());
    }
    inputs.resize(program.inputs.size());
    outputs.resize(program.outputs.size());
  }

  // Row `row` of the current block.
  const std::byte* source(const Worker& worker, std::size_t value, std::int64_t row) const {
    const ValueStorage& storage = program.storages[program.values[value].storage];
    if (storage.input) return inputs[*storage.input] + static_cast<std::uint64_t>(row) * storage.bytes;
    const auto place = storage.of_slice ? row - worker.first : row;
    const std::byte* part = storage.of_slice ? worker.slice : arena.get() + program.shared_bytes;
    return part + storage.offset * samples + static_cast<std::uint64_t>(place % storage.samples) * storage.bytes;
  }

  std::byte* destination(const Worker& worker, const NetworkStep& step, std::int64_t row) const {
    if (!step.output) return const_cast<std::byte*>(source(worker, *step.destination, row));
    const auto elements = static_cast<std::uint64_t>(program.outputs[*step.output].shape.elements());
    return outputs[*step.output] + static_cast<std::uint64_t>(row) * elements * sizeof(float);
  }

  bool whole_batch() const { return !program.plan.whole_batch.empty(); }

  std::byte* scratch(const Worker& worker, const NetworkStep& step) const {
    if (!step.rows && !whole_batch()) return worker.slice + step.scratch_offset;
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

  void run_step(Worker& worker, std::size_t index, std::int64_t row, std::int64_t rows) {
    const NetworkStep& step = program.steps[index];
    for (std::size_t i = 0; i < step.sources.size(); ++i) worker.sources[i] = source(worker, step.sources[i], row);
    const StepMemory memory{.sources = std::span(worker.sources).first(step.sources.size()),
                            .destination = destination(worker, step, row),
                            .scratch = scratch(worker, step),
                            .rows = rows};
    if (worker.step_seconds.empty()) return worker.runs[index](memory);
    const auto start = std::chrono::steady_clock::now();
    worker.runs[index](memory);
    worker.step_seconds[index] += worker.share * std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  void run_segments(Worker& worker, std::size_t begin, std::size_t end, std::int64_t first, std::int64_t rows) {
    for (auto g = begin; g < end; ++g) {
      const Segment& segment = program.segments[g];
      for (std::int64_t row = 0; row < rows; row += segment.rows)
        for (auto i = segment.begin; i < segment.end; ++i) run_step(worker, i, first + row, std::min(segment.rows, rows - row));
    }
  }

  void run_slice(Worker& worker, std::int64_t first, std::int64_t rows, std::int64_t at_once) {
    worker.first = first;
    worker.share = 1 / static_cast<double>(at_once);
    run_segments(worker, 0, program.slice_segments, first, rows);
  }

  // Slices as equal as they can be, each on one thread: what regions its steps open have no other.
  void run_slices_at_once(std::int64_t rows) {
    const auto threads = static_cast<std::int64_t>(workers.size());
    const auto rounds = (rows + threads * program.plan.slice - 1) / (threads * program.plan.slice);
    const auto slice = (rows + threads * rounds - 1) / (threads * rounds);
    parallel_for((rows + slice - 1) / slice, program.plan.slices_at_once, [&](std::int64_t i) {
      const ThreadScope alone(1);
      Worker& worker = workers[static_cast<std::size_t>(omp_get_thread_num())];
      run_slice(worker, i * slice, std::min(slice, rows - i * slice), threads);
    });
  }

  void run_block(std::int64_t rows) {
    Worker& first = workers.front();
    if (workers.size() > 1 && rows >= program.plan.slices_at_once) {
      run_slices_at_once(rows);
    } else {
      for (std::int64_t row = 0; row < rows && program.slice_segments > 0; row += program.plan.slice)
        run_slice(first, row, std::min(program.plan.slice, rows - row), 1);
    }
    first.share = 1;
    run_segments(first, program.slice_segments, program.segments.size(), 0, rows);
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
  const std::int64_t block = impl_->whole_batch() ? std::max<std::int64_t>(batch, 1) : program.plan.rows;
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
  std::vector<double> taken(impl_->workers.front().step_seconds.size());
  for (Worker& worker : impl_->workers) {
    for (std::size_t i = 0; i < taken.size(); ++i) taken[i] += worker.step_seconds[i];
    std::ranges::fill(worker.step_seconds, 0);
  }
  return taken;
}

}  // namespace alexnet
