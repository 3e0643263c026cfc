#include "runtime/network.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/checked.h"
#include "base/text.h"
#include "base/threads.h"
#include "passes/passes.h"
#include "runtime/lower.h"
#include "runtime/network_impl.h"
#include "runtime/openmp.h"
#include "runtime/parallel.h"
#include "runtime/precision.h"

namespace alexnet {

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
  if (options.rows < 1 || options.rows > kMostRows)
    throw Error(ErrorKind::usage, "rows", fmt::format("{} is not within 1 to {}", options.rows, kMostRows));
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
  impl->kernels.resize(impl->program.steps.size());
  parallel_for(static_cast<std::int64_t>(impl->kernels.size()), chosen.threads, [&](std::int64_t i) {
    Choice& choice = impl->program.steps[static_cast<std::size_t>(i)].choice;
    impl->kernels[static_cast<std::size_t>(i)] = choice.prepare();
    choice.prepare = nullptr;  // lets go of weights in their stored form
  });
  if (impl->program.prepared) impl->program.plan.prepared = impl->program.prepared->counts();
  return std::shared_ptr<const Network>(new Network(std::move(impl)));
}

}  // namespace alexnet
