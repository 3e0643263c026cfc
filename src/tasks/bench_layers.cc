#include <algorithm>
#include <map>

#include "runtime/bandwidth.h"
#include "runtime/onednn/bare.h"
#include "runtime/openmp.h"
#include "tasks/bench_rounds.h"

namespace alexnet {
namespace {

Precision precision_of(const Plan& plan) {
  return plan.precision == "bf16" ? Precision::bf16 : plan.precision == "int8" ? Precision::int8 : Precision::f32;
}

// Bandwidth by the size of what is read again and again; measured once for each size.
class Bandwidth {
 public:
  double of(std::uint64_t bytes) {
    const auto known = measured_.find(bytes);
    return known != measured_.end() ? known->second : measured_[bytes] = read_bandwidth(bytes);
  }

 private:
  std::map<std::uint64_t, double> measured_;
};

std::uint64_t weights_of(const Plan& plan, bool rows) {
  std::uint64_t bytes = 0;
  for (const auto& step : plan.steps)
    if (step.rows == rows) bytes += step.weight_bytes;
  return bytes;
}

// Steps that only move a layer's tensors bear its name, too, but not its kind.
bool computes(const PlanStep& step, const Graph& graph, const std::string& layer) {
  return step.kind == kind(find(graph, layer)->layer) && std::ranges::count(step.layers, layer) > 0;
}

double median_of(const std::vector<double>& values) { return timing_of(values).median; }

}  // namespace

LayerBench bench_layers(const Model& model, std::shared_ptr<const Network> network, std::int64_t batch,
                        const BenchOptions& options) {
  const Plan& plan = network->plan();
  const ThreadScope scope(plan.threads);
  const Precision precision = precision_of(plan);
  const std::int64_t rows = std::min(batch, plan.rows);
  const std::int64_t slice = std::min(batch, plan.slice);
  auto bare = bare_layers(model.graph, precision, slice, rows);
  const auto is_rows = [&](const std::string& layer) {
    return std::ranges::any_of(plan.steps, [&](const PlanStep& step) { return step.rows && computes(step, model.graph, layer); });
  };
  BenchRun whole(network, batch, options);
  BenchRun in_steps(network, batch, options, /*timed=*/true);

  std::vector<double> whole_times;
  std::vector<std::vector<double>> step_times(plan.steps.size());
  std::vector<std::vector<double>> bare_times(bare.size());
  std::vector<std::int64_t> bare_runs;  // that a batch takes
  for (const auto& layer : bare) {
    const auto at_once = is_rows(layer.layer) ? rows : slice;
    bare_runs.push_back((batch + at_once - 1) / at_once);
  }
  run_rounds(options, 3, [&](bool counts) {
    const double milliseconds = whole();
    in_steps();
    const auto seconds = in_steps.session().take_step_seconds();
    for (std::size_t i = 0; i < bare.size(); ++i) {
      const double took = milliseconds_of([&] {
        for (std::int64_t run = 0; run < bare_runs[i]; ++run) bare[i].run();
      });
      if (counts) bare_times[i].push_back(took);
    }
    if (!counts) return;
    whole_times.push_back(milliseconds);
    for (std::size_t i = 0; i < seconds.size(); ++i) step_times[i].push_back(1e3 * seconds[i]);
  });

  LayerBench result{.network = network, .batch = batch, .rounds = whole_times.size(), .steps = {}};
  if (whole_times.empty()) return result;
  result.milliseconds = median_of(whole_times);
  constexpr std::uint64_t kBeyondCaches = 256u << 20;
  Bandwidth bandwidth;
  const double peak = peak_macs(precision);
  result.peak_operations_per_second = 2 * peak;
  result.memory_bytes_per_second = bandwidth.of(kBeyondCaches);
  for (std::size_t i = 0; i < bare.size(); ++i) result.bare_milliseconds += median_of(bare_times[i]);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const PlanStep& step = plan.steps[s];
    BenchStep row{.plan = step, .milliseconds = median_of(step_times[s]), .bare_implementation = {}};
    row.arithmetic_milliseconds = 1e3 * static_cast<double>(step.macs) * static_cast<double>(batch) / peak;
    // Between two uses of a weight everything passes that the steps of its kind read; with a single sample, all weights do.
    const auto between = batch == 1 ? plan.weight_bytes : weights_of(plan, step.rows);
    const auto runs = (batch + (step.rows ? rows : slice) - 1) / (step.rows ? rows : slice);
    double seconds = 0;
    if (step.weight_bytes > 0) seconds += static_cast<double>(step.weight_bytes) / bandwidth.of(between);
    for (std::size_t i = 0; i < bare.size(); ++i) {
      if (!computes(step, model.graph, bare[i].layer)) continue;
      row.bare_milliseconds += median_of(bare_times[i]);
      if (!row.bare_implementation.empty()) row.bare_implementation += " + ";
      row.bare_implementation += bare[i].implementation;
      seconds += static_cast<double>(bare[i].activation_bytes) / bandwidth.of(bare[i].activation_bytes);
    }
    row.memory_milliseconds = 1e3 * seconds * static_cast<double>(runs);
    result.steps.push_back(std::move(row));
  }
  return result;
}

}  // namespace alexnet
