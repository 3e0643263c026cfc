#include "tasks/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

#include "tasks/bench_rounds.h"

namespace alexnet {
namespace {

// The p-th part of the sorted values lies below, by interpolation.
double percentile(const std::vector<double>& sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void fill(std::span<float> values, double limit, std::mt19937& random) {
  const auto scale = static_cast<float>(limit / 2147483648.0);
  for (float& value : values) value = static_cast<float>(static_cast<std::int32_t>(random())) * scale;
}

}  // namespace

Timing timing_of(std::vector<double> milliseconds) {
  if (milliseconds.empty()) return {};
  std::ranges::sort(milliseconds);
  const double median = percentile(milliseconds, 0.5);
  return {.median = median,
          .p90 = percentile(milliseconds, 0.9),
          .p99 = percentile(milliseconds, 0.99),
          .spread = (percentile(milliseconds, 0.75) - percentile(milliseconds, 0.25)) / 2 / median,
          .rounds = milliseconds.size()};
}

BenchRun::BenchRun(std::shared_ptr<const Network> network, std::int64_t batch, const BenchOptions& options, bool timed)
    : session_(network, timed), batch_(batch) {
  std::mt19937 random(1);  // the same inputs each time
  constexpr double kLikeNormalisedPixels = 2;
  for (const auto& input : network->inputs()) {
    inputs_.push_back(Tensor::zeros(input.shape.with_batch(batch)));
    fill(inputs_.back().mutable_values<float>(), kLikeNormalisedPixels, random);
    sources_.push_back(inputs_.back().values<float>());
  }
  if (options.sample && options.sample->shape().elements() == network->inputs().front().shape.elements()) {
    const auto values = options.sample->values<float>();
    auto row = inputs_.front().mutable_values<float>().begin();
    for (std::int64_t i = 0; i < batch; ++i) row = std::ranges::copy(values, row).out;
  }
  for (const auto& output : network->outputs()) {
    outputs_.push_back(Tensor::zeros(output.shape.with_batch(batch)));
    destinations_.push_back(outputs_.back().mutable_values<float>());
  }
}

double BenchRun::operator()() {
  return milliseconds_of([&] { session_.run(batch_, sources_, destinations_); });
}

std::vector<BenchCase> bench(std::span<const std::shared_ptr<const Network>> networks, const BenchOptions& options) {
  std::vector<BenchCase> cases;
  std::vector<BenchRun> runs;
  for (const auto& network : networks) {
    for (const auto batch : options.batches) {
      cases.push_back({.network = network, .batch = batch, .timing = {}});
      runs.emplace_back(network, batch, options);
    }
  }
  std::vector<std::vector<double>> times(cases.size());
  run_rounds(options, static_cast<double>(cases.size()), [&](bool counts) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double milliseconds = runs[i]();
      if (counts) times[i].push_back(milliseconds);
    }
  });
  if (cases.empty() || times.back().empty()) return {};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    BenchCase& result = cases[i];
    result.timing = timing_of(times[i]);
    const Plan& plan = result.network->plan();
    const double seconds = result.timing.median / 1e3;
    const auto batch = static_cast<double>(result.batch);
    result.images_per_second = batch / seconds;
    result.operations_per_second = 2 * static_cast<double>(plan.macs) * batch / seconds;
    const auto blocks = (result.batch + plan.rows - 1) / plan.rows;
    result.weight_bytes_per_second = static_cast<double>(plan.weight_bytes) * static_cast<double>(blocks) / seconds;
  }
  return cases;
}

Model random_model(Graph graph) {
  Model model;
  model.graph = checked(std::move(graph));
  std::mt19937 random(1);  // the same weights each time
  for (const auto& parameter : parameters(model.graph)) {
    Tensor tensor = Tensor::zeros(parameter.shape);
    const double fan_in = static_cast<double>(parameter.shape.elements()) / static_cast<double>(parameter.shape[0]);
    fill(tensor.mutable_values<float>(), parameter.shape.rank() > 1 ? std::sqrt(6 / fan_in) : 0.1, random);
    // Variances, and whatever else may not be negative.
    if (parameter.shape.rank() == 1)
      for (float& value : tensor.mutable_values<float>()) value = std::fabs(value);
    model.weights[parameter.name] = Weight::of(tensor);
  }
  return model;
}

}  // namespace alexnet
